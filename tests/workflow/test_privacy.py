"""Protected stays through all steps: the mail says no more than the policy allows, and nothing else says more.

Each case is an admission of a sample patient. A scan looks for its secrets in mails with their bundles,
in logs and metrics (standard output), in the results of the functions, and in the audit.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_string, policy
from typing import Any

import boto3
import pytest
from moto.ses.models import ses_backends

from environments import load
from hl7.mllp import wrap
from lambdas.common.aws.items import from_item
from ops.deployment import Deployment
from tests.support.feed_system import FeedSystem
from tests.support.registry import seed_registry
from tests.support.workflow import ACCOUNT, Step
from tests.workflow.real import feed_system

SECRETS = ("Quicksilver", "Halcyon", "R99Z", "methadone", "Moonlit", "SUDU", "F11", "B20", "A54")
"""Words of the messages below: notes, reason, room, diagnoses and the place of the discharge."""


@dataclass(frozen=True, slots=True)
class PrivacyCase:
    """One admission: fields beside the ordinary ones, the expected rule, and its reason ("": told reduced).

    `shown` are the secrets that the reduced mail may tell.
    """

    name: str
    rule: str
    reason: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    unit: str = "4W"
    born: str = "19580214"
    patient: str = "H00412^Okafor^Amara"
    shown: tuple[str, ...] = ()


VISIT = "VISIT_PROTECTED"
DG1_B20 = "DG1|1||B20^Moonlit disease^I10|||A"
CASES = (
    PrivacyCase("vip", "hospital-mark", VISIT, {"PV1-16": "VIP"}),
    PrivacyCase("security", "hospital-mark", VISIT, {"MSH-8": "R"}),
    PrivacyCase("publicity-of-visit", "expressed-preferences", VISIT, {"PV2-21": "N"}),
    PrivacyCase("protected-visit", "expressed-preferences", VISIT, {"PV2-22": "Y"}),
    PrivacyCase("publicity-of-patient", "expressed-preferences", VISIT, {"PD1-11": "N"}),
    PrivacyCase("protected-patient", "expressed-preferences", VISIT, {"PD1-12": "Y"}),
    PrivacyCase(
        "restriction", "expressed-preferences", VISIT, segments=("ARV|1|A|ALL^all^HL70717",)
    ),
    PrivacyCase("part2-unit", "part2-program", "PART2_NO_CONSENT", unit="SUDU"),
    PrivacyCase("part2-service", "part2-program", "PART2_NO_CONSENT", {"PV1-10": "SUD"}),
    PrivacyCase("part2-code", "part2-program", "PART2_NO_CONSENT", {"MSH-8": "ETH"}),
    PrivacyCase(
        "confidential",
        "confidential-diagnosis",
        segments=(f"DG1|1||I10^Moonlit^I10|||A{'|' * 12}Y",),
        shown=("R99Z",),
    ),
    PrivacyCase("hiv", "hiv-diagnosis", segments=(DG1_B20,)),
    PrivacyCase(
        "substance", "substance-use-diagnosis", segments=("DG1|1||F11.20^Moonlit^I10|||A",)
    ),
    PrivacyCase(
        "minor",
        "ca-sexual-health",
        segments=("DG1|1||A54.9^Moonlit^I10|||A",),
        born="20110601",
        patient="P15^Iversen^Noor",
    ),
)
TOLD_IN_FULL = PrivacyCase("ordinary", "otherwise")


class ObservedSystem(FeedSystem):
    """Keeps what each function returned."""

    def __init__(
        self, deployment: Deployment, configuration: str, functions: Mapping[str, Step]
    ) -> None:
        self.results: list[Any] = []
        super().__init__(
            deployment,
            configuration,
            {name: self._observed(step) for name, step in functions.items()},
        )

    def _observed(self, step: Step) -> Step:
        def run(task: dict[str, Any]) -> Any:
            result = step(task)
            self.results.append(result)
            return result

        return run


@pytest.fixture(scope="module")
def system() -> Iterator[ObservedSystem]:
    with feed_system(ObservedSystem, _apply_strict) as deployed:
        seed_registry()
        _file_adolescent()
        yield deployed


def _apply_strict(configuration: dict[str, Any]) -> None:
    """Adds the policy files of prod that the local system does not apply."""
    listed = configuration["policies"]
    listed += [
        one.configuration() for one in load("prod").policies if one.configuration() not in listed
    ]


def _file_adolescent() -> None:
    """Adds a patient of fifteen to the sample registry, with the same primary care provider, who wants bundles."""
    table = boto3.resource("dynamodb").Table("registry")
    table.put_item(Item={"pk": "identifier#NORTHGEN#P15", "sk": "patient", "patient_id": "p15"})
    table.put_item(
        Item={
            "pk": "patient#p15",
            "sk": "patient",
            "patient_id": "p15",
            "family": "Iversen",
            "given": "Noor",
            "birth_date": "2011-06-01",
            "sex": "F",
        }
    )
    table.put_item(
        Item={
            "pk": "patient#p15",
            "sk": "provider#dr-lindqvist",
            "provider_id": "dr-lindqvist",
            "relationship": "primary_care",
            "active": True,
        }
    )
    table.update_item(
        Key={"pk": "provider#dr-lindqvist", "sk": "provider"},
        UpdateExpression="SET bundle = :yes",
        ExpressionAttributeValues={":yes": True},
    )


def message(case: PrivacyCase) -> bytes:
    """The case's admission, with secrets in reason, room, notes and place of the discharge."""
    now = datetime.now(UTC).strftime("%Y%m%d%H%M%S+0000")
    number, family, given = case.patient.split("^")
    sent = {
        "MSH": {3: "ADTSYS", 4: "NORTHGEN", 7: now, 9: "ADT^A01", 10: f"K-{case.name}", 11: "P"},
        "EVN": {1: "A01", 2: now},
        "PID": {1: "1", 3: f"{number}^^^NORTHGEN^MR", 5: f"{family}^{given}", 7: case.born, 8: "F"},
        "PD1": {1: ""},
        "PV1": {
            1: "1",
            2: "I",
            3: f"{case.unit}^R99Z^1^NORTHGEN",
            19: f"V-{case.name}",
            37: "Halcyon",
        },
        "PV2": {3: "^Quicksilver"},
    }
    sent["MSH"][12] = "2.6"
    for position, value in case.fields.items():
        segment, number_of = position.split("-")
        sent[segment][int(number_of)] = value
    lines = [_segment(name, values) for name, values in sent.items()]
    note = "OBX|1|TX|10154-3^Chief complaint^LN||Takes methadone for Quicksilver.||||||F"
    return "\r".join([*lines, *case.segments, note]).encode()


def _segment(name: str, values: dict[int, str]) -> str:
    first = "MSH|^~\\&" if name == "MSH" else name
    return "|".join(
        [first, *(values.get(n, "") for n in range(3 if name == "MSH" else 1, max(values) + 1))]
    )


def play(system: ObservedSystem, case: PrivacyCase) -> tuple[list[str], dict[str, Any]]:
    """The raw mails of a case, and LookupIdentities' entry in the audit."""
    before = len(_sent())
    system.results.clear()
    answers, (outcome,) = system.send(wrap(message(case)))
    assert (answers, outcome.status) == (["accepted"], "COMPLETED"), outcome.error
    event_id = system.results[0]["event_id"]
    entries = boto3.client("dynamodb").query(
        TableName="audit",
        KeyConditionExpression="event_id = :id",
        ExpressionAttributeValues={":id": {"S": event_id}},
    )["Items"]
    chain = [from_item(item) for item in entries]
    assert not found_in(json.dumps(chain, default=str)), "the audit"
    assert not found_in(json.dumps(system.results)), "the workflow's state"
    return [mail.raw_data for mail in _sent()[before:]], next(
        entry for entry in chain if entry["step"] == "LookupIdentities" and "considered" in entry
    )


def _sent() -> list[Any]:
    return ses_backends[ACCOUNT]["us-east-1"].sent_messages


def found_in(text: str) -> list[str]:
    """The secrets in a text."""
    return [word for word in SECRETS if word in text]


def test_each_flag_and_category_is_obeyed_and_disclosed_nowhere(
    system: ObservedSystem, capfd: pytest.CaptureFixture[str]
) -> None:
    """One test for all cases: each costs a run of all steps."""
    for case in CASES:
        mails, entry = play(system, case)
        if case.reason:
            told = [one for one in entry["considered"] if one.get("policy_rule")]
            assert mails == [], case.name
        else:
            told = entry["recipients"]
            assert len(mails) == 1, case.name
            assert found_in(_decoded(mails[0])) == list(case.shown), case.name
            assert "diagnosis" in told[0]["left_out"], case.name
        assert [one["policy_rule"] for one in told][:1] == [case.rule], case.name
        assert all(one["policy_version"] for one in told), case.name
        assert [one["reason"] for one in told if case.reason][:1] == [case.reason][
            : bool(case.reason)
        ]
    output = "".join(capfd.readouterr())
    assert "SuppressedByPolicy" in output
    assert found_in(output) == []


def test_an_ordinary_stay_is_told_but_not_what_a_machine_reads_about_substance_use(
    system: ObservedSystem,
) -> None:
    mails, entry = play(system, TOLD_IN_FULL)
    (mail,) = mails
    text = _decoded(mail)
    assert "Quicksilver" in text
    assert "R99Z" in text
    assert "methadone" not in text
    assert '"resourceType":"Bundle"' in "".join(text.split()), "the scan reads bundles too"
    assert [one["policy_rule"] for one in entry["recipients"]] == ["otherwise"]


def _decoded(raw: str) -> str:
    """All text parts and attachments of a mail."""
    parsed = message_from_string(raw, policy=policy.default)
    parts = [
        part.get_payload(decode=True) or b"" for part in parsed.walk() if not part.is_multipart()
    ]
    return "\n".join(part.decode("utf-8", "replace") for part in parts if isinstance(part, bytes))
