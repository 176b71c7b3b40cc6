"""The configuration document: who reads it, how it gets there, and that 500 senders fit."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from environments import Environment, Sender, SenderCertificate, load
from receiver.intake.client_certificate import attributes
from receiver.intake.configuration import read_senders
from tests.infra.conftest import CLOUD, EVERY, Stacks, stacks_of
from tests.infra.template import STEPS, Template, text

READERS = ("ParseMessage", "TrackEncounter", "LookupIdentities", "DeliverNotification")
ENVIRONMENT_BYTES = 4096
"""AWS Lambda quotas: "Environment variables: 4 KB, for all environment variables ... in aggregate"."""
LONGEST_REFERENCE = 130
"""Characters assumed for a value that is known at deployment only: ARNs and queue addresses."""


def crowded(environment: Environment) -> Environment:
    """The environment with 500 more senders, each with all that a hospital may say of itself."""
    return replace(
        environment,
        senders=(
            *environment.senders,
            *(
                Sender(
                    name=f"hospital-{n:03}",
                    sending_application="ADTSYS",
                    sending_facility=f"HOSPITAL{n:03}",
                    default_assigning_authority=f"2.16.840.1.113883.3.9999.{n}",
                    time_zone="America/Halifax",
                    display_name=f"Hospital of the Example County number {n}",
                    phone="+1 902 555 0100",
                    networks=(f"10.{n // 250}.{n % 250}.0/24",),
                    certificates=(
                        SenderCertificate(
                            issuer={"CN": "County CA", "O": "County"},
                            dns_name=f"adt.hospital-{n:03}.example",
                        ),
                    ),
                    trigger_events=("A01", "A02", "A03", "A04", "A08", "A11", "A12", "A13"),
                )
                for n in range(500)
            ),
        ),
    )


def longest(value: Any) -> int:
    """The length of a variable's value, at most."""
    return len(value.encode()) if isinstance(value, str) else LONGEST_REFERENCE


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_the_variables_of_every_function_fit_into_lambda_s_4_kb_with_500_senders(
    name: str,
) -> None:
    sizes = {
        f"{stack.name}/{logical_id}": sum(
            len(variable) + longest(value)
            for variable, value in function["Properties"]
            .get("Environment", {})
            .get("Variables", {})
            .items()
        )
        for stack in stacks_of(crowded(load(name))).values()
        for logical_id, function in stack.of_type("AWS::Lambda::Function").items()
    }
    assert len(sizes) > len(STEPS)
    assert {function: size for function, size in sizes.items() if size >= ENVIRONMENT_BYTES} == {}


def test_a_changed_document_replaces_no_receiver_and_restarts_every_function_that_reads_it(
    synthesised: Callable[[str], Stacks],
) -> None:
    """A new task definition would end the running tasks, and with them the connections of senders."""
    before, after = synthesised("dev"), stacks_of(crowded(load("dev")))
    for kind in ("AWS::ECS::TaskDefinition", "AWS::ECS::Service"):
        assert before["ingress"].of_type(kind) == after["ingress"].of_type(kind) != {}
    copy = after["core"].id_of("Configuration/Copy/Resource/Default")
    old, new = before["core"].resources[copy], after["core"].resources[copy]
    assert old["Properties"]["Update"] != new["Properties"]["Update"]
    for step in READERS:
        variables = after["core"].properties(step)["Environment"]["Variables"]
        assert text(variables["ENS_CONFIGURATION_VERSION"]) == f"<{copy}.VersionId>"


@pytest.mark.parametrize("step", STEPS)
def test_a_function_reads_versions_of_the_document_if_it_needs_senders_and_nothing_else_there(
    step: str, core: Template
) -> None:
    bucket = f"<{core.id_of('Configuration/Bucket')}.Arn>"
    mine = {
        (action, resource)
        for statement in core.statements(core.id_of(f"{step}Role"))
        for action in statement.actions
        for resource in statement.resources
        if resource.startswith(bucket)
    }
    expected = {("s3:GetObjectVersion", f"{bucket}/configuration.json")}
    assert mine == (expected if step in READERS else set())


def test_the_receiver_reads_the_document_and_nothing_else_there(core: Template) -> None:
    bucket = f"<{core.id_of('Configuration/Bucket')}.Arn>"
    (mine,) = (
        statement
        for statement in core.statements(core.id_of("ReceiverRole"))
        if any(bucket in resource for resource in statement.resources)
    )
    assert mine.actions == ("s3:GetObject",)
    assert [r for r in mine.resources if bucket in r] == [f"{bucket}/configuration.json"]


def test_the_copy_may_read_the_one_asset_and_write_the_one_object(core: Template) -> None:
    statements = core.statements(core.id_of("Configuration/Role"))
    may = {action: s.resources for s in statements for action in s.actions}
    bucket = f"<{core.id_of('Configuration/Bucket')}.Arn>"
    assert set(may) == {
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("s3:GetObject", "s3:PutObject"),
    }
    assert may["s3:PutObject"] == (f"{bucket}/configuration.json",)
    (source,) = may["s3:GetObject"]
    assert "*" not in source
    assert source.endswith(".json")


def test_the_document_is_versioned_encrypted_closed_and_reached_over_tls_only(
    core: Template,
) -> None:
    bucket = core.properties("Configuration/Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    policy = core.properties("Configuration/Bucket/Policy")["PolicyDocument"]["Statement"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in [s["Condition"] for s in policy]


@pytest.mark.parametrize("name", CLOUD)
def test_receiver_and_schema_agree_on_every_sender_of_the_document(name: str) -> None:
    environment = crowded(load(name))
    senders = read_senders(environment.configuration().encode(), name)
    assert [s.name for s in senders] == [s.name for s in environment.senders]
    assert str(senders[-1].networks[0]) == environment.senders[-1].networks[0]
    (binding,) = senders[-1].certificates
    assert binding.issuer == attributes([("CN", "County CA"), ("O", "County")])
    assert binding.dns_name == environment.senders[-1].certificates[0].dns_name
    assert senders[-1].trigger_events == set(environment.senders[-1].trigger_events)


def test_the_document_says_what_it_is(name: str = "dev") -> None:
    document = json.loads(load(name).configuration())
    assert (document["version"], document["environment"]) == (1, name)
