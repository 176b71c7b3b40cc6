from pathlib import Path

import pytest

from lambdas.registry.importing.columns import InvalidRegistryError
from lambdas.registry.importing.plan import items, items_of_folder
from lambdas.registry.keys import identifier_key, key

ROOT = Path(__file__).resolve().parents[5]

Row = dict[str, str]


def patient(patient_id: str = "p-1", **rest: str) -> Row:
    given = {"family": "Okafor", "given": "Amara", "birth_date": "1958-02-14", "sex": "F"}
    return {"patient_id": patient_id, **given, **rest}


def identifier(authority: str = "NORTHGEN", value: str = "H1", **rest: str) -> Row:
    return {"authority": authority, "value": value, "patient_id": "p-1", "provider_id": "", **rest}


def provider(provider_id: str = "dr-1", **rest: str) -> Row:
    given = {"prefix": "", "given": "Wei", "family": "Chen", "npi": "1666666668"}
    return {
        "provider_id": provider_id,
        **given,
        "email": "wei@heartcare.example",
        "active": "yes",
        **rest,
    }


def relationship(kind: str = "primary_care", **rest: str) -> Row:
    given = {"patient_id": "p-1", "provider_id": "dr-1"}
    return {**given, "relationship": kind, "active": "yes", **rest}


def problems(
    patients: list[Row] | None = None,
    identifiers: list[Row] | None = None,
    providers: list[Row] | None = None,
    relationships: list[Row] | None = None,
) -> list[str]:
    with pytest.raises(InvalidRegistryError) as raised:
        items(
            patients or [patient()],
            identifiers or [],
            providers or [provider()],
            relationships or [],
        )
    return raised.value.problems


def test_every_kind_of_item_has_its_keys_and_values() -> None:
    found = items([patient()], [identifier()], [provider()], [relationship()])
    assert found == [
        {
            "pk": "patient#p-1",
            "sk": "patient",
            "patient_id": "p-1",
            "family": "Okafor",
            "given": "Amara",
            "birth_date": "1958-02-14",
            "sex": "F",
            "circle": {"dr-1"},
        },
        {
            "pk": "identifier#NORTHGEN#H1",
            "sk": "patient",
            "patient_id": "p-1",
            "circle": {"dr-1"},
        },
        {"pk": "authorities", "sk": "NORTHGEN", "authority": "NORTHGEN"},
        {
            "pk": "provider#dr-1",
            "sk": "provider",
            "provider_id": "dr-1",
            "family": "Chen",
            "given": "Wei",
            "prefix": "",
            "npi": "1666666668",
            "email": "wei@heartcare.example",
            "active": True,
        },
        {"pk": "provider-identifier#NPI#1666666668", "sk": "provider", "provider_id": "dr-1"},
        {
            "pk": "patient#p-1",
            "sk": "provider#dr-1",
            "provider_id": "dr-1",
            "relationship": "primary_care",
            "active": True,
        },
    ]


def test_an_identifier_of_two_patients_becomes_one_item_with_both() -> None:
    found = items([patient(), patient("p-2")], [identifier(), identifier(patient_id="p-2")], [], [])
    assert found[-2:] == [
        {**identifier_key("NORTHGEN", "H1"), "patient_id": ["p-1", "p-2"]},
        {"pk": "authorities", "sk": "NORTHGEN", "authority": "NORTHGEN"},
    ]


def test_two_relationships_of_one_pair_become_one_item_with_both() -> None:
    found = items([patient()], [], [provider()], [relationship(), relationship("subscriber")])
    assert found[-1]["relationship"] == ["primary_care", "subscriber"]


def test_an_ended_relationship_leaves_the_others_and_alone_it_is_inactive() -> None:
    ended = relationship(active="no")
    both = items([patient()], [], [provider()], [ended, relationship("subscriber")])
    assert (both[-1]["relationship"], both[-1]["active"]) == ("subscriber", True)
    alone = items([patient()], [], [provider()], [ended])
    assert (alone[-1]["relationship"], alone[-1]["active"]) == ("primary_care", False)


def test_no_authority_and_value_can_be_written_to_look_like_another_pair() -> None:
    assert key("identifier", "A#B", "C") != key("identifier", "A", "B#C")
    assert key("identifier", "A%23B", "C") != key("identifier", "A#B", "C")


@pytest.mark.parametrize(
    ("patients", "fault"),
    [
        ([patient(), patient("p-2", birth_date="14.02.1958")], "line 3, birth_date: is not a date"),
        ([patient(birth_date="19580214")], "line 2, birth_date: is not a date"),
        ([patient(birth_date="1958-02-30")], "line 2, birth_date: is not a date"),
        ([patient(sex="female")], "line 2, sex: is none of"),
        ([patient(family=" ")], "line 2, family: is empty"),
        ([patient(), patient()], "line 3, patient_id: stands in an earlier line too"),
    ],
)
def test_a_faulty_patient_names_file_line_and_column(patients: list[Row], fault: str) -> None:
    found = problems(patients=patients)
    assert len(found) == 1
    assert found[0].startswith(f"patients.csv {fault}")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (provider(npi="1666666660"), "npi: is not ten digits"),
        (provider(email="wei at heartcare"), "email: is not an e-mail address"),
        (provider(active="maybe"), "active: is none of yes, no"),
        (provider(family=""), "family: is empty"),
    ],
)
def test_a_faulty_provider_names_file_line_and_column(row: Row, fault: str) -> None:
    assert problems(providers=[row])[0].startswith(f"providers.csv line 2, {fault}")


def test_two_providers_cannot_share_an_npi_nor_an_identifier() -> None:
    shared = [provider(), provider("dr-2")]
    assert problems(providers=shared) == [
        "providers.csv line 3, npi: stands in an earlier line too"
    ]
    owned = {"patient_id": "", "authority": "NPI", "value": "1666666668"}
    assert problems(
        identifiers=[identifier(**{**owned, "provider_id": "dr-2"})],
        providers=[provider(), provider("dr-2", npi="")],
    ) == ["identifiers.csv line 2, value: belongs to another provider too"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            identifier(patient_id="p-9"),
            "patient_id: is neither in patients.csv nor in the registry",
        ),
        (identifier(provider_id="dr-1"), "patient_id: a line names a patient or a provider"),
        (identifier(patient_id=""), "patient_id: a line names a patient or a provider"),
        (
            identifier(patient_id="", provider_id="dr-9"),
            "provider_id: is neither in providers.csv nor in the registry",
        ),
        (identifier(value=""), "value: is empty"),
        (identifier(authority=""), "authority: is empty"),
    ],
)
def test_a_faulty_identifier_names_file_line_and_column(row: Row, fault: str) -> None:
    assert problems(identifiers=[row]) == [f"identifiers.csv line 2, {fault}"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (
            relationship(patient_id="p-9"),
            "patient_id: is neither in patients.csv nor in the registry",
        ),
        (
            relationship(provider_id="dr-9"),
            "provider_id: is neither in providers.csv nor in the registry",
        ),
        (relationship("cousin"), "relationship: is none of primary_care"),
        (relationship(active="1"), "active: is none of yes, no"),
    ],
)
def test_a_faulty_relationship_names_file_line_and_column(row: Row, fault: str) -> None:
    assert problems(relationships=[row])[0].startswith(f"relationships.csv line 2, {fault}")


def test_a_missing_key_column_or_an_unknown_one_is_told_before_anything_else() -> None:
    row = patient()
    del row["patient_id"]
    known = "birth_date,family,former_families,given,merged_into,sex"
    fault = f"patients.csv line 2: the columns are patient_id; optional: {known}"
    assert problems(patients=[row]) == [fault]
    assert problems(patients=[patient(gender="F", birth_date="1.1.1958")]) == [fault]


def test_no_fault_repeats_what_stood_in_the_cell() -> None:
    found = problems(
        patients=[patient(birth_date="secret-1", sex="secret-2")],
        providers=[provider(npi="secret-3", email="secret-4")],
    )
    assert len(found) == 4
    assert "secret" not in " ".join(found)


def test_the_seed_files_hold_together() -> None:
    found = {(item["pk"], item["sk"]): item for item in items_of_folder(ROOT / "samples/registry")}
    assert found["identifier#aa#0123456789", "patient"]["patient_id"] == "p-martin"
    assert found["patient#p-martin", "provider#dr-smith"]["relationship"] == "primary_care"
    assert found["provider#dr-smith", "provider"]["email"] == "john.smith@provider.example"


def test_a_folder_without_a_file_of_the_registry_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InvalidRegistryError, match=r"has none of patients\.csv, identifiers\.csv"):
        items_of_folder(tmp_path)


def test_what_is_filed_under_a_merged_patient_belongs_to_the_survivor() -> None:
    merged = patient("p-2", merged_into="p-1")
    found = items(
        [patient(), merged],
        [identifier(patient_id="p-2")],
        [provider()],
        [relationship(patient_id="p-2")],
    )
    filed = {(item["pk"], item["sk"]): item for item in found}
    assert filed["identifier#NORTHGEN#H1", "patient"]["patient_id"] == "p-1"
    assert filed["identifier#NORTHGEN#H1", "patient"]["merged_from"] == {"p-2"}
    assert filed["patient#p-2", "patient"]["merged_into"] == "p-1"
    assert ("patient#p-1", "provider#dr-1") in filed
    assert ("patient#p-2", "provider#dr-1") not in filed


def test_a_merge_leads_to_another_patient_of_the_file_and_ends() -> None:
    assert problems(patients=[patient(merged_into="p-9")]) == [
        "patients.csv line 2, merged_into: is neither in patients.csv nor in the registry"
    ]
    circle = [patient("p-1", merged_into="p-2"), patient("p-2", merged_into="p-1")]
    assert problems(patients=circle)[0] == (
        "patients.csv line 2, merged_into: leads back to the same patient"
    )


def test_what_a_provider_chose_is_filed_with_the_provider() -> None:
    chosen = {
        "kind": "facility",
        "notify": "no",
        "event_types": "discharge; admission",
        "facilities": "NORTHGEN",
        "away_from": "2026-12-20",
        "away_until": "2027-01-03",
        "detail": "minimal",
        "bundle": "yes",
    }
    found = items([patient()], [], [provider(**chosen)], [])
    filed = next(item for item in found if item["sk"] == "provider")
    assert filed["event_types"] == ["discharge", "admission"]
    assert (filed["kind"], filed["notify"], filed["bundle"]) == ("facility", False, True)
    assert (filed["away_until"], filed["detail"]) == ("2027-01-03", "minimal")


@pytest.mark.parametrize(
    ("column", "cell", "fault"),
    [
        ("kind", "robot", "is none of person, facility"),
        ("notify", "maybe", "is none of yes, no"),
        ("detail", "everything", "is none of full, minimal, smime"),
        ("detail", "smime", "is empty, and detail is smime"),
        ("event_types", "admission;party", "holds what is none of admission"),
        ("patient_classes", "I;Z", "holds what is none of B, C"),
        ("away_from", "20.12.2026", "is not a date"),
        ("away_until", "2026-12-20", "is not a day on or after away_from"),
        ("surrogate", "dr-1", "is the same provider"),
        ("surrogate", "dr-9", "is neither in providers.csv nor"),
        ("digest_at", "7 o'clock", "is not a time as HH:MM"),
        ("quiet", "22:00", "is not two times"),
        ("time_zone", "Halifax time", "is not a time zone's name"),
        ("time_zone", "America/Halifx", "is not a time zone's name"),
        ("time_zone", "America", "is not a time zone's name"),
        ("certificate", "my key", "is not a certificate as PEM"),
        ("language", "de", "is none of en, fr-CA"),
    ],
)
def test_a_choice_that_cannot_be_kept_is_a_fault(column: str, cell: str, fault: str) -> None:
    found = problems(providers=[provider(**{column: cell})])
    assert any(fault in problem for problem in found), found
    assert all(cell not in problem for problem in found if len(cell) > 6)
