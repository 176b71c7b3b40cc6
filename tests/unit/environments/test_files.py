"""A wrong file of environments/ is refused with file, key and what is allowed; a right one is read."""

import copy
import json
import tomllib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from environments import (
    AuditSection,
    CustomerGateway,
    Environment,
    EnvironmentFileError,
    MailSection,
    MpiSection,
    Network,
    ReceiverSection,
    Sender,
    load,
    names,
)
from receiver.intake.client_certificate import ATTRIBUTE_TYPES
from receiver.intake.configuration import SENDER_KEYS
from tests.conftest import ROOT
from tests.unit.environments.files import (
    ENVIRONMENT,
    SENDER,
    SMOKE,
    WHOLE,
    Path_,
    changed,
    document,
    refusal,
    write,
)

SCHEMAS = {
    kind: json.loads((ROOT / "environments" / f"{kind}.schema.json").read_text())
    for kind in ("environment", "sender", "policy")
}
FREE = {
    "mpi.settings",
    "patient_classes",
    "admission_types",
    "sexes",
    "dispositions",
    "units",
    "facilities",
    "encounters.effects",
    "encounters.stale_after_days",
    "encounters.settle_seconds",
    "encounters.close_after_days",
    "sensitive_units",
    "sensitive_services",
    "sensitive_diagnoses",
}
"""The tables whose keys belong to the backend of the index, and to the sender."""


def paths(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """The paths to all values in a document, tables and list members included."""
    if here:
        yield here
    if dotted(here) in FREE:
        return
    parts: Any = ()
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        yield from paths(part, (*here, key))


def dotted(path: Path_) -> str:
    """A path as TOML writes keys: `network.customer_gateways[0].ip`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


CASES = [(kind, path) for kind, whole in WHOLE.items() for path in paths(whole)]
NAME = {
    "environment": "west.toml",
    "sender": "senders/west.toml",
    "policy": "policies/west.toml",
}


def test_a_file_with_every_key_is_read(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, west=SENDER, smoke=SMOKE)
    environment = load("west", tmp_path)
    assert environment.network
    assert environment.network.customer_gateways[0].asn == 65010
    assert [s.name for s in environment.senders] == ["west", "smoke"]
    assert environment.senders[1].sending_facility == "WEST"
    assert environment.placeholders() == []


@pytest.mark.parametrize(("kind", "path"), CASES, ids=lambda v: v if v in NAME else dotted(v))
def test_a_value_of_another_type_is_refused_by_file_and_key(
    kind: str, path: Path_, tmp_path: Path
) -> None:
    """A date fits no key."""
    text = document(changed(WHOLE[kind], path, "DATE")).replace('"DATE"', "2026-11-26")
    assert tomllib.loads(text)
    write(tmp_path, ENVIRONMENT, west=SENDER, smoke=SMOKE)
    (tmp_path / NAME[kind]).write_text(text)
    load.cache_clear()
    with pytest.raises(EnvironmentFileError) as refused:
        load("west", tmp_path)
    lines = [line for line in str(refused.value).splitlines() if f"{NAME[kind]}: " in line]
    assert any(f": {dotted(path)}: " in line for line in lines)
    assert all("allowed: " in line for line in lines)


TABLES = [
    ("environment", ()),
    ("sender", ()),
    *(("environment", (table,)) for table in ("network", "receiver", "mail", "mpi")),
    ("environment", ("network", "customer_gateways", 0)),
    ("sender", ("encounters",)),
    ("policy", ()),
    ("policy", ("rules", 0)),
    ("policy", ("rules", 0, "when")),
]


@pytest.mark.parametrize(("kind", "table"), TABLES)
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.from_regex(r"[a-z_]{3,20}", fullmatch=True))
def test_an_unknown_key_is_an_error_that_names_the_known_ones(
    kind: str, table: Path_, tmp_path: Path, key: str
) -> None:
    known = WHOLE[kind]
    for part in table:
        known = known[part]  # type: ignore[index]
    if key in known:
        return
    text = refusal(tmp_path, kind, changed(WHOLE[kind], (*table, key), 1))
    assert f"{NAME[kind]}: {dotted((*table, key))}: unknown key; allowed: " in text
    assert all(name in text for name in known)


def required(schema: dict[str, Any], here: Path_ = ()) -> Iterator[Path_]:
    yield from ((*here, name) for name in schema.get("required", ()))
    for name, part in schema.get("properties", {}).items():
        yield from required(part, (*here, name))
        if "items" in part:
            yield from required(part["items"], (*here, name, 0))


@pytest.mark.parametrize(
    ("kind", "path"), [(kind, p) for kind, schema in SCHEMAS.items() for p in required(schema)]
)
def test_a_missing_key_is_named(kind: str, path: Path_, tmp_path: Path) -> None:
    content = copy.deepcopy(WHOLE[kind])
    place: Any = content
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    assert f"{NAME[kind]}: {dotted(path)}: missing" in refusal(tmp_path, kind, content)


@pytest.mark.parametrize(
    ("kind", "path", "value", "allowed"),
    [
        # EventBridge Pipes: CloudFormation has no AWS::Pipes::Pipe there.
        ("environment", ("region",), "us-gov-west-1", "outside of GovCloud and China"),
        ("environment", ("cost_mode",), "cheap", "'full', 'coded', 'off'"),
        ("environment", ("mail", "rate"), 0, "minimum 1"),
        ("environment", ("max_receive_count",), 4, "minimum 5"),
        ("environment", ("network", "cidr"), "172.20.9.1/24", "10.20.0.0/16"),
        ("environment", ("network", "sender_networks"), ["hospital"], "10.20.0.0/16"),
        ("environment", ("network", "sender_networks"), ["2001:db8::/32"], "an IPv4 network"),
        ("environment", ("mpi", "networks"), ["2001:db8::/32"], "an IPv4 network"),
        (
            "environment",
            ("receiver", "smoke_secret"),
            "arn:aws:secretsmanager:us-east-1:210987654321:secret:smoke",
            "six characters",
        ),
        ("environment", ("senders",), ["west"], "'smoke'"),
        ("environment", ("account",), "1234", "12 digits"),
        ("environment", ("alarm_addresses",), ["operators"], "mail address"),
        ("environment", ("alarm_topics",), ["arn:aws:sns:us-east-1"], "ARN of an SNS topic"),
        # CloudWatch API, "PutMetricAlarm", AlarmActions: at most 5; one is the environment's own topic.
        (
            "environment",
            ("alarm_topics",),
            [f"arn:aws:sns:us-east-1:210987654321:t{n}" for n in range(5)],
            "maxItems 4",
        ),
        # EC2 API, "CreateCustomerGateway", BgpAsn.
        ("environment", ("network", "customer_gateways", 0, "asn"), 2_147_483_648, "2147483647"),
        ("environment", ("senders",), ["east", "smoke"], "smoke, west"),
        ("sender", ("time_zone",), "Mars/Olympus", "America/Halifax"),
        ("sender", ("networks",), ["10.20.0.0/33"], "10.20.0.0/16"),
        ("sender", ("trigger_events",), ["ADT^A01"], "A01"),
        ("sender", ("sending_facility",), "", "minLength 1"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_what_is_allowed(
    kind: str, path: Path_, value: Any, allowed: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, kind, changed(WHOLE[kind], path, value))
    assert dotted(path) in text
    assert allowed in text.partition("allowed: ")[2]


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    broken = changed(changed(ENVIRONMENT, ("mail", "rate"), 0), ("retain",), "yes")
    assert len(refusal(tmp_path, "environment", broken).splitlines()) == 2


def test_a_rule_over_two_keys_names_the_file_and_the_table(tmp_path: Path) -> None:
    both = changed(ENVIRONMENT, ("receiver", "certificate_arn"), "arn:aws:acm:x:1:certificate/1")
    text = refusal(tmp_path, "environment", both)
    assert "west.toml: receiver: certificate_arn and tls_secret are both set" in text


@pytest.mark.parametrize(
    "path",
    [
        ("alarm_addresses",),
        ("backup", "copy_to"),
        ("network", "customer_gateways", 0, "networks"),
        ("mail", "sandbox_recipients"),
    ],
)
def test_a_value_that_stands_twice_in_a_list_is_named(path: Path_, tmp_path: Path) -> None:
    """The CDK ended with an error of its own, or AWS refused the resource."""
    once: Any = ENVIRONMENT
    for part in path:
        once = once[part]
    text = refusal(tmp_path, "environment", changed(ENVIRONMENT, path, [once[0], once[0]]))
    assert f"west.toml: {dotted(path)}: " in text
    assert "non-unique" in text


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "172.20.9.0/26"])
def test_a_vpc_that_aws_cannot_make_or_divide_is_refused(cidr: str, tmp_path: Path) -> None:
    """Amazon VPC user guide, "VPC CIDR blocks": /16 at most. Two zones need a subnet of 64 addresses each."""
    text = refusal(tmp_path, "environment", changed(ENVIRONMENT, ("network", "cidr"), cidr))
    assert f"west.toml: network: cidr: {cidr}" in text
    assert "allowed: /16 or smaller, with at least 128 addresses" in text


def test_two_hospitals_cannot_share_the_name_of_a_gateway(tmp_path: Path) -> None:
    """The VPN of the first was not made."""
    (gateway,) = ENVIRONMENT["network"]["customer_gateways"]
    both = [gateway, {**gateway, "ip": "8.8.8.8"}]
    path = ("network", "customer_gateways")
    text = refusal(tmp_path, "environment", changed(ENVIRONMENT, path, both))
    assert "west.toml: network: customer_gateways: 2 have the name west" in text


def test_two_senders_without_bindings_cannot_have_the_same_msh_3_and_msh_4(tmp_path: Path) -> None:
    """Otherwise a message's sender would depend on the order of the list."""
    environment = changed(invented_patients(), ("senders",), ["west", "east", "smoke"])
    unbound = {**SENDER, "networks": [], "certificates": []}
    write(tmp_path, environment, west=unbound, east=unbound, smoke=SMOKE)
    load.cache_clear()
    with pytest.raises(EnvironmentFileError, match=r"west\.toml: senders: west and east"):
        load("west", tmp_path)


def invented_patients() -> dict[str, Any]:
    """An environment that may accept messages of any sender."""
    without = changed(ENVIRONMENT, ("data_trail",), False)
    return changed(without, ("receiver", "unknown_senders"), "accept")


def test_a_sender_without_a_binding_is_refused_where_patients_are_real(tmp_path: Path) -> None:
    unbound = {**SENDER, "networks": [], "certificates": []}
    assert "west has neither networks nor certificates" in refusal(tmp_path, "sender", unbound)
    write(tmp_path, invented_patients(), west=unbound, smoke=SMOKE)
    load.cache_clear()
    assert not load("west", tmp_path).senders[0].bound


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_staging_and_prod_cannot_accept_unknown_senders(name: str) -> None:
    environment = load(name)
    with pytest.raises(ValueError, match="unknown_senders"):
        replace(environment, receiver=replace(environment.receiver, unknown_senders="accept"))


def test_an_environment_of_real_patients_cannot_accept_unknown_senders(tmp_path: Path) -> None:
    open_to_all = changed(ENVIRONMENT, ("receiver", "unknown_senders"), "accept")
    assert "receiver.unknown_senders: 'accept'" in refusal(tmp_path, "environment", open_to_all)


def test_plain_text_needs_a_reason(tmp_path: Path) -> None:
    in_clear = changed(ENVIRONMENT, ("receiver", "tls_secret"), "")
    assert "receiver: no TLS; allowed: " in refusal(tmp_path, "environment", in_clear)
    told = changed(in_clear, ("receiver", "plain_text_because"), "the VPN of 2026 encrypts")
    write(tmp_path, told, west=SENDER, smoke=SMOKE)
    load.cache_clear()
    assert not load("west", tmp_path).receiver.encrypted


def test_a_certificate_needs_a_subject_or_a_dns_name(tmp_path: Path) -> None:
    by_issuer_alone = {**SENDER, "certificates": [{"issuer": {"CN": "West CA"}}]}
    text = refusal(tmp_path, "sender", by_issuer_alone)
    assert "senders/west.toml: certificates[0]: subject: missing" in text


def test_an_attribute_type_that_certificates_do_not_have_is_named(tmp_path: Path) -> None:
    misspelt = {**SENDER, "certificates": [{"issuer": {"commonName": "West CA"}}]}
    text = refusal(tmp_path, "sender", misspelt)
    assert "certificates[0].issuer: 'commonName'; allowed: 'C', 'CN', 'DC'" in text


def test_the_receiver_knows_every_key_of_a_sender() -> None:
    """It rejects any other key, because a misspelt `networks` would leave a sender unbound."""
    assert set(SCHEMAS["sender"]["properties"]) - {"sample"} == SENDER_KEYS - {"name"}
    allowed = SCHEMAS["sender"]["definitions"]["name"]["propertyNames"]["enum"]
    assert set(allowed) == set(ATTRIBUTE_TYPES.values())


def test_a_file_that_is_not_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, west=SENDER, smoke=SMOKE)
    (tmp_path / "west.toml").write_text("retain = true\nsenders = ]\n")
    load.cache_clear()
    with pytest.raises(EnvironmentFileError, match=r"west\.toml: not a TOML file: .*line 2"):
        load("west", tmp_path)


@pytest.mark.parametrize("schema", [SCHEMAS["environment"], SCHEMAS["sender"]])
def test_the_sample_document_of_these_tests_has_every_key_of_the_schema(
    schema: dict[str, Any],
) -> None:
    whole = ENVIRONMENT if schema is SCHEMAS["environment"] else SENDER
    assert set(schema["properties"]) == set(whole)
    for name, part in schema["properties"].items():
        if "properties" in part:
            assert set(part["properties"]) == set(whole[name])


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (Environment, ENVIRONMENT),
        (Sender, SENDER),
        (Network, ENVIRONMENT["network"]),
        (CustomerGateway, ENVIRONMENT["network"]["customer_gateways"][0]),
        (ReceiverSection, ENVIRONMENT["receiver"]),
        (MailSection, ENVIRONMENT["mail"]),
        (MpiSection, ENVIRONMENT["mpi"]),
        (AuditSection, ENVIRONMENT["audit"]),
    ],
)
def test_every_value_of_the_code_can_be_set_in_a_file(model: Any, table: dict[str, Any]) -> None:
    assert is_dataclass(model)
    own = {field.name for field in fields(model)}
    assert own - ({"name"} if model in (Environment, Sender) else set()) == set(table)


@pytest.mark.parametrize("file", sorted((ROOT / "environments").rglob("*.toml")), ids=str)
def test_every_file_names_its_schema_for_editors(file: Path) -> None:
    """Taplo and Even Better TOML read the directive `#:schema` on a file's first line."""
    directive, schema = file.read_text().splitlines()[0].split(" ")
    assert directive == "#:schema"
    assert (file.parent / schema).resolve().is_file()


@pytest.mark.parametrize("name", names())
def test_every_environment_knows_the_sender_of_the_smoke_test(name: str) -> None:
    (smoke,) = (s for s in load(name).senders if s.name == "smoke")
    assert (smoke.sending_application, smoke.sending_facility) == ("ENS-SMOKE", name.upper())


def test_every_placeholder_of_prod_is_named_with_its_file_and_key() -> None:
    assert load("prod").placeholders() == [
        "environments/prod.toml: receiver.tls_secret: arn:aws:secretsmanager:us-east-1:123456789012"
        ":secret:hl7-ens-prod-tls-AbCdEf names an example account; set the real one",
        "environments/prod.toml: receiver.server_name: receiver.ens.example is in an example domain"
        " (RFC 2606); set the real one",
        "environments/prod.toml: mail.domain: ens.example is in an example domain (RFC 2606);"
        " set the real one",
        "environments/prod.toml: mail.from_address: notifications@ens.example is in an example"
        " domain (RFC 2606); set the real one",
        "environments/prod.toml: alarm_addresses[0]: operators@ens.example is in an example"
        " domain (RFC 2606); set the real one",
        "environments/prod.toml: senders: no hospital system; add a file in environments/senders/",
    ]


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        (("account",), "123456789012", "account"),
        (("alarm_topics",), ["arn:aws:sns:us-east-1:111122223333:x"], "alarm_topics[0]"),
        (
            ("mpi", "settings"),
            {"base_url": "https://mpi.example.org/fhir"},
            "mpi.settings.base_url",
        ),
        (("mail", "domain"), "ens.test", "mail.domain"),
        (("network", "sender_networks"), ["198.51.100.0/24"], "network.sender_networks[0]"),
    ],
)
def test_an_example_value_is_a_placeholder(
    path: Path_, value: Any, key: str, tmp_path: Path
) -> None:
    found = changed(ENVIRONMENT, path, value)
    if path == ("mail", "domain"):
        found = changed(found, ("mail", "from_address"), f"notifications@{value}")
    write(tmp_path, found, west=SENDER, smoke=SMOKE)
    load.cache_clear()
    gaps = load("west", tmp_path).placeholders()
    assert gaps[0].startswith(f"environments/west.toml: {key}: ")
    assert all("mail.from_address" in gap for gap in gaps[1:])


def test_a_sample_sender_is_a_placeholder(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, west={**SENDER, "sample": True}, smoke=SMOKE)
    load.cache_clear()
    (gap,) = load("west", tmp_path).placeholders()
    assert gap.startswith("environments/west.toml: senders: west is a sample")


def test_an_example_in_a_sender_s_file_is_named_with_that_file(tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT, west={**SENDER, "phone": "a.example"}, smoke=SMOKE)
    load.cache_clear()
    (gap,) = load("west", tmp_path).placeholders()
    assert gap.startswith("environments/senders/west.toml: phone: ")


def test_a_time_of_zero_seconds_reaches_the_functions() -> None:
    """0 is "at once"; without the key the default of a minute would apply."""
    (smoke,) = (
        s for s in json.loads(load("local").configuration())["senders"] if s["name"] == "smoke"
    )
    assert smoke["encounters"]["settle_seconds"]["admission"] == 0
    assert "display_name" in smoke
    assert "phone" not in smoke
