"""Configurations other than the shipped ones: what AWS would refuse at deployment is found before it."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from environments import (
    CustomerGateway,
    Environment,
    MpiSection,
    PeopleSection,
    Retention,
    load,
)
from environments.loader import FOLDER
from environments.sections import DIGEST_DAYS_BEYOND_ENTRIES
from ops.environment.preflight import assembly
from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.checks import limits
from ops.environment.preflight.finding import Status
from tests.conftest import ROOT
from tests.infra.assemblies import assembly as synthesised_in
from tests.infra.assemblies import stacks_of
from tests.infra.conftest import CLOUD
from tests.infra.test_names import names, refused

SSO = (
    "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_EnsOperator{}_*"
)

_SCHEMA = json.loads((FOLDER / "environment.schema.json").read_text("utf-8"))
NAMED_KEY = re.compile(r"\{plan\.file\}: ([a-z_.]+)")
LONGEST_LOCK: int = _SCHEMA["properties"]["audit"]["properties"]["digest_days"]["maximum"]
"""Days of the longest lock that a file may name; CDK refuses more than a hundred years."""

LONGEST_RETENTION = Retention(
    vault_days=36_500,
    rejected_days=36_500,
    audit_days=LONGEST_LOCK - DIGEST_DAYS_BEYOND_ENTRIES,
    trail_days=36_500,
    encounters_days=36_500,
    ledger_days=36_500,
    status_days=36_500,
    logs_days=365,
)


def with_network(environment: Environment, **values: Any) -> Environment:
    """The environment with other values of its network."""
    assert environment.network is not None
    return replace(environment, network=replace(environment.network, **values))


def qa() -> Environment:
    """A fourth environment in Canada, its longest values: three zones, nine VPNs, a hundred years."""
    made = with_network(
        replace(
            load("prod"),
            name="q" * 15,
            region="ca-central-1",
            retention=LONGEST_RETENTION,
            audit=replace(load("prod").audit, digest_days=LONGEST_LOCK),
        ),
        availability_zones=("cac1-az1", "cac1-az2", "cac1-az4"),
        sender_networks=tuple(f"10.{n}.0.0/16" for n in range(59)),
        customer_gateways=tuple(
            CustomerGateway(name=f"west{n}", ip=f"203.0.113.{n}", networks=(f"10.{n}.0.0/16",))
            for n in range(1, 10)
        ),
    )
    recipients = tuple(f"person{n}@clinic{n}.example" for n in range(20))
    secret = made.receiver.tls_secret.replace("us-east-1", made.region)
    made = replace(made, receiver=replace(made.receiver, tls_secret=secret))
    return replace(made, mail=replace(made.mail, sandbox_recipients=recipients))


def one_zone() -> Environment:
    """The cheapest network: one zone, no VPN, the functions outside."""
    return with_network(load("dev"), availability_zones=("use1-az1",))


def too_much() -> Environment:
    """More of everything than AWS takes."""
    made = with_network(
        qa(),
        # The load balancer's group has one more rule, for the smoke test.
        sender_networks=tuple(f"10.{n}.0.0/16" for n in range(60)),
        customer_gateways=tuple(
            CustomerGateway(name=f"west{n}", ip=f"203.0.113.{n}", networks=(f"10.{n}.0.0/16",))
            for n in range(1, 12)
        ),
    )
    recipients = tuple(f"person{n}@clinic{n}.example" for n in range(150))
    return replace(
        made,
        mail=replace(made.mail, sandbox_recipients=recipients),
        people=PeopleSection(operators=tuple(SSO.format(n) for n in range(30))),
        mpi_client="fhir",
        mpi=MpiSection(settings={"base_url": "https://mpi.west.example/" + "x" * 4000}),
    )


def plan(environment: Environment) -> Plan:
    return Plan(environment, assembly.read(synthesised_in(environment)))


@pytest.mark.parametrize("name", CLOUD)
def test_the_shipped_environments_fit(name: str) -> None:
    (found,) = limits.check(plan(load(name)))
    assert found.status is Status.OK


@pytest.mark.parametrize("made", [qa, one_zone])
def test_another_environment_fits_and_its_names_are_ones_that_aws_accepts(
    made: Callable[[], Environment],
) -> None:
    environment = made()
    (found,) = limits.check(plan(environment))
    assert found.status is Status.OK
    stacks = stacks_of(environment)
    assert refused(names(list(stacks.values()))) == []
    assert all(environment.region in str(stack.document) for stack in stacks.values())
    # CloudFormation quotas: resources and outputs of a template.
    assert all(len(stack.resources) <= 500 for stack in stacks.values())
    assert all(len(stack.document.get("Outputs", {})) <= 200 for stack in stacks.values())
    # An environment in Canada must not reach for the stores of another region.
    other = [
        s.name for s in stacks.values() if environment.name[0] == "q" and "us-east-1" in str(s)
    ]
    assert other == []


def test_every_setting_that_makes_something_too_long_is_named_with_its_limit() -> None:
    found = list(limits.check(plan(too_much())))
    assert {finding.status for finding in found} == {Status.ERROR}
    assert {finding.to_do for finding in found} == {
        "shorten people",
        "shorten mail.sandbox_recipients",
        "shorten mpi.settings",
        "shorten network.sender_networks",
        "shorten network.customer_gateways",
    }


def test_a_finding_names_keys_that_the_environments_file_has() -> None:
    """The operator looks for the key in the file; the schema has all of them."""
    sources = (ROOT / "ops" / "environment" / "preflight" / "checks").glob("*.py")
    written = {key for source in sources for key in NAMED_KEY.findall(source.read_text("utf-8"))}
    keys = written | {one.key for one in vars(limits).values() if isinstance(one, limits.Limit)}
    assert {"mail.rate", "mpi.settings", "network.sender_networks"} <= keys
    assert {key for key in keys if not _in_schema(key)} == set()


def _in_schema(key: str) -> bool:
    place = _SCHEMA
    for part in key.split("."):
        place = place.get("properties", {}).get(part)
        if place is None:
            return False
    return True


def test_a_sending_address_outside_the_domain_of_the_identity_is_refused() -> None:
    """SES would refuse every mail: no identity covers the address."""
    mail = load("prod").mail
    with pytest.raises(ValueError, match="from_address"):
        replace(mail, from_address="notifications@other.example")
    assert replace(mail, from_address=f"n@alerts.{mail.domain}").domain == mail.domain


def test_more_receivers_than_the_maximum_are_refused() -> None:
    """Application Auto Scaling takes no target whose minimum is above its maximum."""
    with pytest.raises(ValueError, match="desired"):
        replace(load("prod").receiver, desired=7)
