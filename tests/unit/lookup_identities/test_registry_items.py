from pathlib import Path

import pytest

from lambdas.lookup_identities.registry_items import identifier_key, items, items_of_folder, key
from lambdas.lookup_identities.registry_rows import InvalidRegistryError

ROOT = Path(__file__).resolve().parents[3]

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
        },
        {"pk": "identifier#NORTHGEN#H1", "sk": "patient", "patient_id": "p-1"},
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
    assert found[-1] == {**identifier_key("NORTHGEN", "H1"), "patient_id": ["p-1", "p-2"]}


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
        (provider(active="maybe"), "active: is neither yes nor no"),
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
        (identifier(patient_id="p-9"), "patient_id: is not in patients.csv"),
        (identifier(provider_id="dr-1"), "patient_id: a line names a patient or a provider"),
        (identifier(patient_id=""), "patient_id: a line names a patient or a provider"),
        (identifier(patient_id="", provider_id="dr-9"), "provider_id: is not in providers.csv"),
        (identifier(value=""), "value: is empty"),
        (identifier(authority=""), "authority: is empty"),
    ],
)
def test_a_faulty_identifier_names_file_line_and_column(row: Row, fault: str) -> None:
    assert problems(identifiers=[row]) == [f"identifiers.csv line 2, {fault}"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (relationship(patient_id="p-9"), "patient_id: is not in patients.csv"),
        (relationship(provider_id="dr-9"), "provider_id: is not in providers.csv"),
        (relationship("cousin"), "relationship: is none of primary_care"),
        (relationship(active="1"), "active: is neither yes nor no"),
    ],
)
def test_a_faulty_relationship_names_file_line_and_column(row: Row, fault: str) -> None:
    assert problems(relationships=[row])[0].startswith(f"relationships.csv line 2, {fault}")


def test_a_missing_column_is_told_before_anything_else() -> None:
    row = patient()
    del row["sex"]
    assert problems(patients=[row]) == [
        "patients.csv line 2: the columns are patient_id,family,given,birth_date,sex"
    ]


def test_no_fault_repeats_what_stood_in_the_cell() -> None:
    found = problems(
        patients=[patient(birth_date="secret-1", sex="secret-2")],
        providers=[provider(npi="secret-3", email="secret-4")],
    )
    assert len(found) == 4
    assert "secret" not in " ".join(found)


def test_the_seed_files_hold_together() -> None:
    found = {(item["pk"], item["sk"]): item for item in items_of_folder(ROOT / "local/registry")}
    assert found["identifier#aa#0123456789", "patient"]["patient_id"] == "p-martin"
    assert found["patient#p-martin", "provider#dr-smith"]["relationship"] == "primary_care"
    assert found["provider#dr-smith", "provider"]["email"] == "john.smith@provider.example"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRegistryError, match=r"patients\.csv is missing"):
        items_of_folder(tmp_path)
