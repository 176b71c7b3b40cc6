"""LookupIdentities: recipients, audit, log and failures of one run."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from lambdas.common.audit import chain, verification
from lambdas.common.aws.items import to_item
from lambdas.common.contracts.encounters.encounter import Audience, Decision, Notice
from lambdas.common.contracts.encounters.protection import ProtectionFlag, StayMarks
from lambdas.common.contracts.message.event import PatientEvent
from lambdas.common.contracts.message.event_kind import EventKind
from lambdas.common.contracts.message.person import Name
from lambdas.common.contracts.message.practitioner import Practitioner, PractitionerRole
from lambdas.common.contracts.recipients.recipient import RecipientReason
from lambdas.common.errors import (
    DependencyUnavailableError,
    EnsError,
    IdentityConflictError,
)
from lambdas.lookup_identities.context import LookupContext
from lambdas.lookup_identities.handler import lambda_handler
from lambdas.registry.keys import patient_key, provider_key, relationship_key
from tests.functional.lambdas.lookup_identities.conftest import Item, RunStep
from tests.functional.lambdas.lookup_identities.world import (
    BRANDT,
    EVENT_ID,
    OKAFOR,
    REHAK,
    actions,
    northgen,
    patient_event,
    reference,
    stored,
)
from tests.support import configuration
from tests.support.broken import breaking, refusing
from tests.support.logs import on_stdout
from tests.support.private import without_digests

PROTECTED = Decision(
    event_id=EVENT_ID,
    trigger_event="A01",
    decided_at="2026-11-26T12:00:00.000Z",
    notices=(Notice(kind=EventKind.ADMISSION, audience=Audience.TEAM),),
    marks=StayMarks(flags=(ProtectionFlag.PV1_16,)),
)


@pytest.mark.usefixtures("registry")
def test_a_recipient_whom_the_policy_suppresses_is_found_by_their_reference(
    context: LookupContext, run_step: RunStep
) -> None:
    assert run_step(replace(OKAFOR, decision=PROTECTED))["recipient_count"] == 0
    (entry,) = chain.query(
        context,
        "recipient_ref = :r",
        {":r": reference(context, "recipient", "dr-lindqvist")},
        IndexName="by_recipient",
    )
    assert (entry["action"], entry["suppressed_because"]) == ("SUPPRESSED", "VISIT_PROTECTED")
    assert entry["policy_rule"]
    assert actions(context)[-1] == ("NO_RECIPIENT", "no_recipient")


@pytest.mark.usefixtures("registry")
def test_every_suppressed_recipient_has_an_entry_where_a_transaction_does_not_hold_them_all(
    context: LookupContext, run_step: RunStep, file_item: Callable[[Item], None]
) -> None:
    """TransactWriteItems takes 100 actions."""
    more = [f"dr-{number}" for number in range(100)]
    for provider_id in more:
        named = {"provider_id": provider_id, "family": "Adu", "email": f"{provider_id}@a.example"}
        file_item({**provider_key(provider_id), **named, "active": True})
        related = {"provider_id": provider_id, "relationship": "care_team", "active": True}
        file_item({**relationship_key("p-okafor", provider_id), **related})
    context.client("dynamodb").update_item(
        TableName="registry",
        Key=to_item(dict(patient_key("p-okafor"))),
        UpdateExpression="ADD circle :more",
        ExpressionAttributeValues={":more": {"SS": more}},
    )
    run_step(replace(OKAFOR, decision=PROTECTED))
    suppressed = {
        entry["recipient_ref"]
        for entry in chain.entries(context, EVENT_ID)
        if entry["action"] == "SUPPRESSED"
    }
    assert {reference(context, "recipient", one) for one in more} <= suppressed
    assert actions(context)[-1] == ("NO_RECIPIENT", "no_recipient")
    assert verification.verify(context, EVENT_ID).holds


@pytest.mark.usefixtures("registry")
def test_a_patient_is_resolved_and_the_primary_care_provider_told(
    context: LookupContext, run_step: RunStep
) -> None:
    result = run_step(OKAFOR)

    lindqvist = reference(context, "recipient", "dr-lindqvist")
    assert {**result, "version_id": ""} == {
        "patient_ref": reference(context, "patient", "p-okafor"),
        "recipient_count": 1,
        "recipients": [
            {
                "recipient_ref": lindqvist,
                "detail": "full",
                "analysis": "full",
                "second": False,
            }
        ],
        "version_id": "",
    }
    identities = stored(context, result["version_id"])
    assert identities.recipients[0].address == "petra.lindqvist@millclinic.example"
    assert identities.recipients[0].name.display() == "Dr Petra Lindqvist"
    assert identities.matched_on == ("PID-3", "PID-5.1", "PID-7", "PID-8")
    assert [refused.reason for refused in identities.considered] == ["NO_ENDPOINT"]


@pytest.mark.usefixtures("registry")
def test_the_audit_says_who_and_why_in_references_only(
    context: LookupContext, run_step: RunStep
) -> None:
    result = run_step(OKAFOR)

    query, entry = chain.entries(context, EVENT_ID)
    assert (query["action"], query["backend"], query["answer"]) == (
        "QUERIED",
        "registry",
        "matched",
    )
    assert query["asked"] == [context.reference_keys.reference("identifier", "NORTHGEN", "H00412")]
    assert (entry["action"], entry["outcome"]) == ("RESOLVED", "ok")
    assert entry["patient_ref"] == result["patient_ref"]
    rule = ("policy_file", "policy_rule", "policy_version", "consent_id", "left_out")
    own = ("reasons", "told_with", "other_patient", *rule)
    chosen = [{k: v for k, v in one.items() if k not in own} for one in entry["recipients"]]
    named = [{k: v for k, v in one.items() if k != "second"} for one in result["recipients"]]
    assert chosen == named, "the state says the same without the reasons and the rule"
    assert [one["reasons"] for one in entry["recipients"]] == [["primary_care"]]
    assert [one["policy_rule"] for one in entry["recipients"]] == ["otherwise"]
    assert entry["considered"][0]["reason"] == "NO_ENDPOINT"
    assert entry["documents"][0]["version_id"] == result["version_id"]
    assert verification.verify(context, EVENT_ID).holds


@pytest.mark.usefixtures("registry")
def test_the_entry_of_the_look_up_costs_no_round_trip_of_its_own(
    context: LookupContext, run_step: RunStep
) -> None:
    calls: list[str] = []

    def count(model: Any, **_: Any) -> None:
        calls.append(model.name)

    context.client("dynamodb").meta.events.register("before-call.dynamodb", count)
    run_step(OKAFOR)
    assert calls == [
        *("BatchGetItem", "BatchGetItem"),
        "UpdateItem",  # the counts of the sender's feed
        *("GetItem", "TransactWriteItems"),
    ]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("event", "answer"),
    [
        (patient_event(northgen("H99999")), "not_found"),
        (patient_event(northgen("H00850")), "ambiguous"),
        (patient_event(northgen("H00412"), northgen("H00533")), "conflict"),
        (patient_event(northgen("H00412"), name=Name("Brown")), "matched"),
    ],
)
def test_a_look_up_that_ends_badly_has_its_one_entry_too(
    context: LookupContext, run_step: RunStep, event: PatientEvent, answer: str
) -> None:
    with pytest.raises(EnsError):
        run_step(event)
    query, _ = chain.entries(context, EVENT_ID)
    assert (query["action"], query["answer"]) == ("QUERIED", answer)
    assert verification.verify(context, EVENT_ID).holds


def test_once_a_day_the_rosters_that_end_soon_are_counted_and_named_by_reference(
    context: LookupContext,
    file_item: Callable[[Item], None],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    today = datetime.now(UTC).date()
    for provider, days in (("dr-a", 14), ("dr-b", 3), ("dr-c", 13), ("dr-d", 15), ("dr-e", 2)):
        for patient in ("p-1", "p-2"):
            last = (today + timedelta(days=days)).isoformat()
            at = {"pk": f"patient#{patient}", "sk": f"provider#{provider}"}
            file_item({**at, "provider_id": provider, "roster_until": last})
    clock = {"source": "aws.events", "detail-type": "Scheduled Event", "time": "…"}
    assert lambda_handler.with_context(context)(clock, None) == {"ending": 2}
    assert '"RostersEnding":[2.0]' in capsys.readouterr().out
    named = [getattr(record, "recipient_ref", "") for record in caplog.records]
    assert named[:2] == [
        reference(context, "recipient", "dr-a"),
        reference(context, "recipient", "dr-b"),
    ]
    assert chain.entries(context, "rosters") == []


@pytest.mark.usefixtures("registry")
def test_no_log_result_or_audit_entry_holds_a_name_number_or_address(
    context: LookupContext,
    run_step: RunStep,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    conflicting = replace(OKAFOR, patient=replace(OKAFOR.patient, birth_date="1931-01-01"))
    with on_stdout("LookupIdentities"):
        result = run_step(OKAFOR)
        with pytest.raises(IdentityConflictError) as raised:
            run_step(conflicting)

    out = capsys.readouterr()
    assert EVENT_ID in out.out, "the log is part of what is scanned"
    said = json.dumps(
        [result, chain.entries(context, EVENT_ID), str(raised.value), out.out, out.err, caplog.text]
    )
    for secret in ("kafor", "OKAFOR", "mara", "H00412", "1958", "1931", "indqvist", "millclinic"):
        assert secret not in without_digests(said)


@pytest.mark.usefixtures("registry")
def test_several_recipients_are_each_told_and_an_inactive_one_is_considered(
    context: LookupContext,
    run_step: RunStep,
) -> None:
    result = run_step(REHAK)
    assert [told["recipient_ref"] for told in result["recipients"]] == [
        reference(context, "recipient", "dr-chen"),
        reference(context, "recipient", "dr-lindqvist"),
    ]
    assert [refused.reason for refused in stored(context, result["version_id"]).considered] == [
        "RECIPIENT_OFF"
    ]


@pytest.mark.usefixtures("registry")
def test_a_provider_named_in_the_message_adds_a_reason_and_never_a_recipient(
    context: LookupContext,
    run_step: RunStep,
) -> None:
    event = replace(
        REHAK,
        practitioners=(
            Practitioner(
                PractitionerRole.ATTENDING, "1666666668", "NPI", "NPI", Name("Chen", "Wei"), "PV1-7"
            ),
            Practitioner(
                PractitionerRole.ADMITTING, "1777777776", "NPI", "NPI", Name("Barros"), "PV1-17"
            ),
            Practitioner(
                PractitionerRole.PRIMARY_CARE, name=Name("LINDQVIST", "PETRA"), field="PD1-4"
            ),
        ),
    )
    result = run_step(event)
    identities = stored(context, result["version_id"])
    reasons = [told.reasons for told in identities.recipients]
    assert reasons == [("care_team", "attending"), ("primary_care",)]
    assert {reason for told in reasons for reason in told} <= set(RecipientReason)
    considered = identities.considered
    assert (considered[-1].relationship, considered[-1].reason) == ("admitting", "NO_RECIPIENT")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("consent", "told"),
    [
        ({"direction": "deny", "sensitivity": "all", "provider_id": "dr-chen"}, "dr-lindqvist"),
        ({"direction": "deny", "sensitivity": "hiv"}, "dr-chen"),
        ({"direction": "deny", "sensitivity": "all", "provider_id": "dr-lindqvist"}, ""),
    ],
    ids=["the surrogate is denied", "nobody is", "the absent provider is"],
)
def test_a_surrogate_whom_the_patient_denies_leaves_the_notice_with_the_provider(
    context: LookupContext,
    run_step: RunStep,
    file_item: Callable[[Item], None],
    consent: dict[str, str],
    told: str,
) -> None:
    today = datetime.now(UTC).date()
    away = {
        "surrogate": "dr-chen",
        "away_from": (today - timedelta(days=2)).isoformat(),
        "away_until": (today + timedelta(days=2)).isoformat(),
    }
    item = {"family": "Lindqvist", "email": "petra@clinic.example", **away}
    file_item({"pk": "provider#dr-lindqvist", "sk": "provider", **item})
    file_item({"pk": "patient#p-okafor", "sk": "consents", "consent#c-1": consent})
    found = stored(context, run_step(OKAFOR)["version_id"])
    assert [one.provider_id for one in found.recipients] == ([told] if told else [])


@pytest.mark.usefixtures("registry")
def test_a_patient_without_relationships_has_no_recipient_and_the_event_ends_well(
    context: LookupContext,
    run_step: RunStep,
) -> None:
    result = run_step(BRANDT)
    assert (result["recipient_count"], result["recipients"]) == (0, [])
    assert actions(context) == [("QUERIED", "ok"), ("NO_RECIPIENT", "no_recipient")]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("operation", ["BatchGetItem", "Query"])
def test_a_throttled_registry_is_a_dependency_that_is_unavailable(
    context: LookupContext, run_step: RunStep, operation: str
) -> None:
    code = "ProvisionedThroughputExceededException"
    # Only for a patient without a circle is the partition queried.
    event = OKAFOR if operation == "BatchGetItem" else BRANDT
    with (
        refusing(context.client("dynamodb"), operation, code) as refused,
        pytest.raises(DependencyUnavailableError, match=code),
    ):
        run_step(event)
    assert len(refused) == 2  # the one try more that botocore makes


@pytest.mark.usefixtures("registry")
def test_a_registry_that_recovers_within_botocores_retry_is_not_noticed(
    context: LookupContext, run_step: RunStep
) -> None:
    with refusing(context.client("dynamodb"), "BatchGetItem", "ThrottlingException", times=1):
        assert run_step(OKAFOR)["recipient_count"] == 1


@pytest.mark.usefixtures("registry")
def test_a_silent_registry_is_a_dependency_that_is_unavailable(
    context: LookupContext, run_step: RunStep
) -> None:
    silent = ReadTimeoutError(endpoint_url="http://registry.example")
    with (
        breaking(context.client("dynamodb"), "BatchGetItem", silent),
        pytest.raises(DependencyUnavailableError, match="ReadTimeoutError"),
    ):
        run_step(OKAFOR)


@pytest.mark.parametrize("senders", ["", '["northgen"]', '[{"default_assigning_authority": "x"}]'])
def test_messages_wait_for_senders_that_can_be_read(
    run_step: RunStep, monkeypatch: pytest.MonkeyPatch, senders: str
) -> None:
    configuration.deploy(f'{{"version": 1, "senders": {senders}}}', monkeypatch)
    with pytest.raises(DependencyUnavailableError, match="configuration: "):
        run_step(OKAFOR)


def test_the_messages_of_a_function_without_a_table_name_wait(
    run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENS_REGISTRY_TABLE")
    with pytest.raises(DependencyUnavailableError, match="ENS_REGISTRY_TABLE is not set"):
        run_step(OKAFOR)
