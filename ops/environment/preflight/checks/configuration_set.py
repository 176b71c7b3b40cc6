"""Checks that the deployed SES configuration set may send, and requires TLS."""

from collections.abc import Iterator

from ops.aws_calls import if_exists
from ops.environment.preflight.finding import PreflightFinding, error, ok, warning
from ops.environment.preflight.plan import ClientFactory, Plan


def check(plan: Plan, clients: ClientFactory) -> Iterator[PreflightFinding]:
    """Sending is on and TLS required (SES v2 GetConfigurationSet); it may not exist yet."""
    name = plan.environment.prefix
    ask = clients.client("sesv2").get_configuration_set
    found = if_exists(ask, "NotFoundException", ConfigurationSetName=name)
    if found is None:
        yield ok(f"the deployment creates the configuration set {name}")
        return
    where = f"SES configuration set {name}"
    if not found.get("SendingOptions", {}).get("SendingEnabled", True):
        yield error(
            "sending is switched off",
            where,
            "aws sesv2 put-configuration-set-sending-options --sending-enabled"
            f" --configuration-set-name {name} --region {plan.region}",
        )
    elif found.get("DeliveryOptions", {}).get("TlsPolicy") != "REQUIRE":
        yield warning(
            "TLS is not required: the configuration set was changed outside CloudFormation",
            where,
            "aws sesv2 put-configuration-set-delivery-options --tls-policy REQUIRE"
            f" --configuration-set-name {name} --region {plan.region}",
        )
    else:
        yield ok("sending is on, over TLS only", where)
