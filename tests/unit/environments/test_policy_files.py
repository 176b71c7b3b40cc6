"""The policy files: which an environment needs, their errors, and that functions read each of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from environments import EnvironmentFileError, load
from environments.environment import HOLDS_REAL_PATIENTS
from lambdas.common.contracts.encounters.protection import Basis, ProtectionFlag
from lambdas.common.contracts.message.event_kind import NOTIFIED
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.contracts.recipients.policy import LeftOut, PolicyNotice, SuppressionReason
from lambdas.common.contracts.recipients.recipient import RecipientReason, RefusalReason
from lambdas.policy.rules import RecipientKind, policies
from tests.conftest import ROOT
from tests.unit.environments.files import (
    ENVIRONMENT,
    POLICY,
    SENDER,
    SMOKE,
    changed,
    document,
    refusal,
    write,
)

FILES = sorted((ROOT / "environments" / "policies").glob("*.toml"))


def names(folder: Path, environment: str, **values: Any) -> list[str]:
    """The policies of an environment of this name whose file has these values besides a policy list."""
    content = {key: value for key, value in ENVIRONMENT.items() if key != "policies"} | values
    write(folder, ENVIRONMENT, west=SENDER, smoke=SMOKE)
    (folder / "west.toml").unlink()
    (folder / f"{environment}.toml").write_text(document(content))
    (folder / "policies" / "strict.toml").write_text(document(POLICY))
    load.cache_clear()
    return [policy.name for policy in load(environment, folder).policies]


@pytest.mark.parametrize("name", sorted(HOLDS_REAL_PATIENTS))
def test_real_patients_need_a_policy(name: str, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFileError, match=rf"{name}.toml: policies: missing; .*docs/priv"):
        names(tmp_path, name, data_trail=False)


def test_an_environment_that_records_every_access_needs_a_policy_too(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFileError, match="policies: missing"):
        names(tmp_path, "west", data_trail=True)


def test_invented_patients_are_under_the_strict_policy_where_none_is_named(tmp_path: Path) -> None:
    assert names(tmp_path, "west", data_trail=False) == ["strict"]


def test_a_missing_policy_file_is_named_with_those_that_exist(tmp_path: Path) -> None:
    text = refusal(tmp_path, "environment", ENVIRONMENT | {"policies": ["absent"]})
    assert "west.toml: policies: policies/absent.toml does not exist; allowed: west" in text


def test_no_policy_is_no_list(tmp_path: Path) -> None:
    assert "policies: " in refusal(tmp_path, "environment", ENVIRONMENT | {"policies": []})


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        (("rules", 1, "then"), "suppress", "reason: allowed and required"),
        (("rules", 0, "reason"), "OPTED_OUT", "allowed: 'PART2_NO_CONSENT'"),
        (("rules", 1, "when"), {}, "no condition"),
        (("rules", 1, "when"), {"bases": ["unit"]}, "bases: without sensitivities"),
        (("rules", 0, "when", "age_from"), 18, "less than age_below"),
        (("rules", 0, "lifted_by"), [], "notices: without lifted_by"),
        (("rules", 1, "id"), "otherwise", "the file's default"),
        (("rules", 0, "when", "jurisdictions"), ["New York"], "ISO 3166-2"),
    ],
)
def test_a_fault_names_file_and_rule(path: Any, value: Any, fault: str, tmp_path: Path) -> None:
    content = changed(POLICY, path, value)
    text = refusal(tmp_path, "policy", content)
    rule = content["rules"][path[1]]["id"]
    assert "policies/west.toml: rules[" in text
    assert fault in text
    assert text.endswith(f"(rule {rule})")


def test_an_id_names_one_rule(tmp_path: Path) -> None:
    text = refusal(tmp_path, "policy", changed(POLICY, ("rules", 1, "id"), "part2"))
    assert "part2 is there twice" in text


def test_an_example_is_a_placeholder(tmp_path: Path) -> None:
    example = POLICY | {"example": True}
    write(tmp_path, ENVIRONMENT, example, west=SENDER, smoke=SMOKE)
    load.cache_clear()
    (found,) = load("west", tmp_path).placeholders()
    assert found.startswith("environments/west.toml: policies: west is an example")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_policy_file_is_read_by_the_functions(file: Path, tmp_path: Path) -> None:
    write(tmp_path, ENVIRONMENT | {"policies": [file.stem]}, west=SENDER, smoke=SMOKE)
    (tmp_path / "policies" / file.name).write_text(file.read_text("utf-8"))
    load.cache_clear()
    environment = load("west", tmp_path)
    (policy,) = policies(json.loads(environment.configuration())["policies"])
    (written,) = environment.policies
    assert (policy.name, policy.version) == (file.stem, written.version)
    assert [rule.id for rule in policy.rules] == [rule.id for rule in written.rules]


def test_the_examples_by_state_say_that_they_are_examples() -> None:
    assert "example = true" in (ROOT / "environments/policies/us-minors-by-state.toml").read_text()


def schema_enum(*path: str) -> set[str]:
    place = json.loads((ROOT / "environments" / "policy.schema.json").read_text())
    for key in path:
        place = place[key]
    return set(place)


def test_the_schema_has_the_words_of_the_functions() -> None:
    rule = ("properties", "rules", "items", "properties")
    when = (*rule, "when", "properties")
    items = ("items", "enum")
    own = {SuppressionReason.OPTED_OUT, SuppressionReason.NOTHING_LEFT}
    categories = set(Sensitivity) - {Sensitivity.ALL, Sensitivity.PROTECTED_VISIT}
    assert schema_enum(*rule, "reason", "enum") == set(SuppressionReason) - own
    assert schema_enum(*rule, "leave_out", *items) == set(LeftOut)
    assert schema_enum(*rule, "notices", *items) == set(PolicyNotice)
    assert schema_enum(*when, "flags", *items) == set(ProtectionFlag)
    assert schema_enum(*when, "bases", *items) == set(Basis)
    assert schema_enum(*when, "relationships", *items) == set(RecipientReason)
    assert schema_enum(*when, "recipient_kinds", *items) == set(RecipientKind)
    assert schema_enum(*when, "event_kinds", *items) == set(NOTIFIED)
    assert schema_enum("definitions", "category", "enum") == categories
    assert schema_enum("definitions", "consent", "enum") == set(Sensitivity)
    assert {reason.value for reason in SuppressionReason} <= {one.value for one in RefusalReason}
