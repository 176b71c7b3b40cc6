"""The texts that are sent: documents, languages, long texts, and the recipients' preferences."""

import json
from base64 import b64encode
from typing import Any

import pytest

from lambdas.common.audit import chain
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.findings import ClinicalFindings, SetAsideReason
from lambdas.common.contracts.message.notes import Markup, Note, Skipped, SkippedReason
from lambdas.common.contracts.message.visit import CodedText
from lambdas.extract_entities.comprehend_medical import comprehend
from lambdas.extract_entities.context import ExtractContext
from lambdas.parse_message.read_event import read_event
from tests.functional.lambdas.extract_entities.conftest import EVENT_ID, RunStep
from tests.support.broken import refusing
from tests.support.vault import read_json

FRENCH = "Le patient est admis pour une douleur dans la poitrine depuis hier avec de la fièvre."


def stored(context: ExtractContext, result: dict[str, Any]) -> ClinicalFindings:
    document = read_json(context, EVENT_ID, "clinical.json", result["version_id"])
    return read_as(ClinicalFindings, document)


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def test_documents_of_a_message_are_read_where_they_stand_and_the_others_named(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    message = "\r".join(
        (
            "MSH|^~\\&|A|B|||20261123||ADT^A01|1|P|2.5.1",
            "PID|1||1",
            "OBX|1|TX|||Has gout.",
            "OBX|2|ED|||^TEXT^RTF^Base64^" + encoded(r"{\rtf1 Takes {\b warfarin} 5 mg daily.}"),
            "OBX|3|ED|||^TEXT^HTML^Base64^"
            + encoded("<p>Denies <i>fever</i>.</p><p>Asthma.</p>")
            + "~^TEXT^^Base64^"
            + encoded("Has diabetes."),
            "OBX|4|ED|||^AP^PDF^Base64^" + encoded("%PDF-1.7"),
            "OBX|5|RP|||https://pacs.example/1",
        )
    )
    event = read_event(message.encode(), EVENT_ID)
    found = stored(context, run_step(*event.notes, skipped_notes=event.skipped_notes))
    assert [(f.text, f.field) for f in (*found.conditions, *found.medications)] == [
        ("gout", "OBX[1]-5"),
        ("Asthma", "OBX[3]-5[1]"),
        ("diabetes", "OBX[3]-5[2]"),
        ("warfarin", "OBX[2]-5"),
    ]
    assert [f.text for f in found.apart[SetAsideReason.NEGATED]] == ["fever"]
    assert found.not_analysed == (
        Skipped("OBX[4]-5", SkippedReason.PDF),
        Skipped("OBX[5]-5", SkippedReason.POINTER),
    )


def test_an_english_note_is_read_beside_a_french_one_that_is_named(
    context: ExtractContext, run_step: RunStep
) -> None:
    found = stored(context, run_step("The patient has gout and denies any fever today.", FRENCH))
    assert [f.text for f in found.conditions] == ["gout"]
    assert found.not_analysed == (Skipped("OBX[2]-5", SkippedReason.LANGUAGE, "fr"),)


@pytest.mark.parametrize(
    ("note", "facts"),
    [
        (FRENCH, {}),
        ("El paciente ingresa por dolor en el pecho desde ayer, sin fiebre y con tos.", {}),
        ("FA, HTA, DB2", {"language": "fr"}),
        (Note("OBX[1]-5", '<html lang="es"><p>HTA, FA</p>', Markup.HTML), {}),
    ],
)
def test_what_is_or_says_that_it_is_not_english_is_not_sent(
    context: ExtractContext, run_step: RunStep, note: str | Note, facts: dict[str, Any]
) -> None:
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        result = run_step(note, **facts)
    assert asked == []
    assert result["outcome"] == "not_english"
    assert [gap.reason for gap in stored(context, result).not_analysed] == ["language"]


@pytest.mark.parametrize("facts", [{}, {"language": "en"}])
def test_an_english_note_in_shorthand_is_sent(run_step: RunStep, facts: dict[str, Any]) -> None:
    result = run_step("SOB, CP x 3d, r/o MI, hx gout", **facts)
    assert result["outcome"] == "extracted"


def test_text_beyond_the_limit_is_not_paid_for_and_its_field_is_named(
    context: ExtractContext, run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_TEXT_LIMIT", "20")
    found = stored(context, run_step("Has gout.", "Has asthma and diabetes."))
    assert [f.text for f in found.conditions] == ["gout", "asthma"]
    assert found.not_analysed == (Skipped("OBX[2]-5", SkippedReason.TOO_LONG),)


@pytest.mark.parametrize(
    "recipients",
    [
        [{"detail": "full", "analysis": "off"}],
        [{"detail": "minimal", "analysis": "full"}],
        [{"detail": "minimal", "analysis": "full"}, {"detail": "smime", "analysis": "off"}],
    ],
)
def test_nobody_is_asked_for_recipients_who_see_no_finding(
    context: ExtractContext, run_step: RunStep, recipients: list[dict[str, str]]
) -> None:
    with refusing(context.client("comprehendmedical", comprehend.CONFIG), "*", "Unasked") as asked:
        result = run_step("Has gout.", recipients=recipients)
    assert asked == []
    assert result["outcome"] == "switched_off"
    assert chain.entries(context, EVENT_ID)[-1]["units"] == {}


def test_full_detail_forbidden_in_the_clear_asks_for_encrypted_readers_alone(
    run_step: RunStep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENS_FULL_IN_CLEAR", "forbidden")
    assert run_step("Has gout.", recipients=[{"detail": "full"}])["outcome"] == "switched_off"
    assert run_step("Has gout.", recipients=[{"detail": "smime"}])["outcome"] == "extracted"


def test_a_richer_wish_on_a_known_note_pays_for_the_missing_operation_alone(
    context: ExtractContext,
    run_step: RunStep,
) -> None:
    run_step("Has gout. Takes warfarin.", recipients=[{"analysis": "coded"}])
    run_step("Has gout. Takes warfarin.", recipients=[{"analysis": "full"}])
    first, second = chain.entries(context, EVENT_ID)
    assert (first["cost_mode"], first["units"]) == ("coded", {"InferICD10CM": 1, "InferRxNorm": 1})
    assert (second["cost_mode"], second["units"]) == ("full", {"DetectEntitiesV2": 1})
    assert second["counts"]["from_cache"] == 1


def test_the_hospitals_own_diagnosis_is_not_suggested_again(
    context: ExtractContext, run_step: RunStep
) -> None:
    diagnoses = (CodedText("M109", "Gout", "I10", "A"),)
    found = stored(context, run_step("Has gout and asthma.", diagnoses=diagnoses))
    assert [f.text for f in found.conditions] == ["asthma"]
    assert found.hospital == diagnoses


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "{",
        "{}",
        "[]",
        '{"kept_at": "today", "answers": {}}',
        '{"kept_at": "2026-11-27"}',
        '{"kept_at": 1, "answers": {}}',
        '{"kept_at": "2026-11-27T09:00:00", "answers": {}}',
        '{"kept_at": "2026-11-27T09:00:00Z", "answers": []}',
        '{"kept_at": "2026-11-27T09:00:00Z", "answers": {"DetectEntitiesV2": 1}}',
    ],
)
def test_a_kept_analysis_that_cannot_be_read_is_made_again(
    context: ExtractContext, run_step: RunStep, damaged: str
) -> None:
    run_step("Has gout.")
    vault = context.client("s3")
    (key,) = (
        item["Key"]
        for item in vault.list_objects_v2(Bucket="vault", Prefix="analyses/")["Contents"]
    )
    vault.put_object(Bucket="vault", Key=key, Body=damaged.encode())
    for requests in (2, 0):
        run_step("Has gout.")
        assert chain.entries(context, EVENT_ID)[-1]["counts"]["requests"] == requests


def test_a_kept_analysis_is_found_neither_by_its_text_nor_under_another_key(
    context: ExtractContext,
    run_step: RunStep,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_step("Has gout.")
    keys = [
        item["Key"]
        for item in context.client("s3").list_objects_v2(Bucket="vault", Prefix="analyses/")[
            "Contents"
        ]
    ]
    assert len(keys) == 1
    assert not any("gout" in key.lower() for key in keys)
    secrets = context.client("secretsmanager")
    ring = {"current": "k2", "k1": "secret of reference-key", "k2": "newer"}
    for expected in (0, 2):
        secrets.put_secret_value(SecretId="reference-key", SecretString=json.dumps(ring))
        # Any other setting: a fresh sandbox reads the key again.
        monkeypatch.setenv("ENS_TEXT_LIMIT", str(40_000 + expected))
        run_step("Has gout.")
        assert chain.entries(context, EVENT_ID)[-1]["counts"]["requests"] == expected
        del ring["k1"]  # without the key that made it, nobody finds it
        ring.setdefault("k1", "another secret")
