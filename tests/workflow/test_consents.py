"""Consents from consents.csv to the mail: `ens registry import` files them, and each step obeys them."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from hl7.mllp import wrap
from lambdas.common.audit import chain
from ops.cli import main
from ops.deployment import Deployment
from tests.support.feed_cases import MessageOutcome
from tests.support.feed_system import FeedSystem
from tests.support.registry import seed_registry
from tests.support.workflow import Step
from tests.workflow.real import addresses_told, feed_system
from tests.workflow.test_privacy import PrivacyCase, message

COLUMNS = "consent_id,patient_id,direction,sensitivity,provider_id,valid_from,valid_until,evidence"
LINDQVIST = "petra.lindqvist@millclinic.example"
OKAFOR = PrivacyCase("okafor", "")
REHAK = PrivacyCase(
    "rehak", "", fields={"PID-8": "M"}, born="19491205", patient="H00618^Rehak^Tomas"
)
# 42 CFR 2.32(a)(2).
REDISCLOSURE = "42 CFR part 2 prohibits unauthorized use or disclosure of these records."

Suppression = tuple[str, str, str, str]
"""The step, the reason, the rule and the consent of a suppression in the audit."""


class ConsentsSystem(FeedSystem):
    """Runs `before_sending` when the recipients are chosen and no mail is sent yet."""

    def __init__(
        self, deployment: Deployment, configuration: str, functions: Mapping[str, Step]
    ) -> None:
        self.before_sending: Callable[[], None] = lambda: None
        self._context = deployment.context
        look_up = functions["LookupIdentities"]

        def look_up_then_change(task: dict[str, Any]) -> Any:
            result = look_up(task)
            self.before_sending()
            return result

        steps = {**functions, "LookupIdentities": look_up_then_change}
        super().__init__(deployment, configuration, steps)

    def admit(self, stay: str, patient: PrivacyCase = OKAFOR, unit: str = "4W") -> MessageOutcome:
        """The outcome of a patient's admission, as a stay of its own."""
        _, (outcome,) = self.send(wrap(message(replace(patient, name=stay, unit=unit))))
        assert outcome.status == "COMPLETED", outcome.error
        return outcome

    def suppressions(self, outcome: MessageOutcome) -> set[Suppression]:
        """All suppressions in the audit of the event."""
        names = ("step", "suppressed_because", "policy_rule", "consent_id")
        found = chain.entries(self._context, outcome.event["event_id"])
        return {
            (entry[names[0]], entry[names[1]], entry[names[2]], entry.get(names[3], ""))
            for entry in found
            if entry["action"] == "SUPPRESSED"
        }


@pytest.fixture
def system() -> Iterator[ConsentsSystem]:
    with feed_system(ConsentsSystem) as running:
        seed_registry()
        yield running


@pytest.fixture
def file_consent(tmp_path: Path) -> Callable[[str], None]:
    """Imports one row of consents.csv, and no other file."""

    def run(row: str) -> None:
        (tmp_path / "consents.csv").write_text(f"{COLUMNS}\n{row}\n")
        with patch.dict(os.environ):
            command = ["--env", "dev", "registry", "import", str(tmp_path), "--yes"]
            done = CliRunner().invoke(main, command, prog_name="ens")
        assert done.exit_code == 0, done.output

    return run


def day(offset: int) -> str:
    """The day (YYYY-MM-DD) so many days after today."""
    return (datetime.now(UTC) + timedelta(days=offset)).date().isoformat()


def test_a_denial_stops_notices_to_that_provider_until_it_ends(
    system: ConsentsSystem, file_consent: Callable[[str], None]
) -> None:
    system.admit("before")
    assert addresses_told() == {LINDQVIST: 1}
    file_consent(f"c-1,p-okafor,deny,all,dr-lindqvist,{day(-9)},,form 7")
    denied = system.admit("denied")
    assert denied.mails == ()
    assert system.suppressions(denied) == {("LookupIdentities", "OPTED_OUT", "denied", "c-1")}
    file_consent(f"c-1,p-okafor,deny,all,dr-lindqvist,{day(-9)},{day(-2)},form 7")
    system.admit("ended")
    assert addresses_told() == {LINDQVIST: 2}


def test_a_permission_under_part_2_tells_the_provider_it_names_and_no_other(
    system: ConsentsSystem, file_consent: Callable[[str], None]
) -> None:
    assert system.admit("silent", REHAK, "SUDU").mails == ()
    file_consent(f"c-2,p-rehak,permit,substance_use,dr-lindqvist,{day(-9)},,form 8")
    permitted = system.admit("permitted", REHAK, "SUDU")
    assert addresses_told() == {LINDQVIST: 1}
    (mail,) = permitted.mails
    text = " ".join(mail.split())
    assert REDISCLOSURE in text
    assert "consent c-2" in text, "42 CFR 2.32(b): the scope of the consent"
    # Dr Chen, whom the consent does not name.
    assert system.suppressions(permitted) == {
        ("LookupIdentities", "PART2_NO_CONSENT", "part2-program", "")
    }


def test_a_denial_filed_after_the_recipients_were_chosen_stops_the_mail(
    system: ConsentsSystem, file_consent: Callable[[str], None]
) -> None:
    denial = f"c-3,p-rehak,deny,all,dr-chen,{day(-9)},,form 9"
    system.before_sending = lambda: file_consent(denial)
    outcome = system.admit("changed", REHAK)
    assert addresses_told() == {LINDQVIST: 1}
    assert system.suppressions(outcome) == {("DeliverNotification", "OPTED_OUT", "denied", "c-3")}


def test_a_permission_under_part_2_that_ends_after_the_recipients_were_chosen_stops_the_mail(
    system: ConsentsSystem, file_consent: Callable[[str], None]
) -> None:
    permission = "c-4,p-okafor,permit,substance_use,dr-lindqvist"
    file_consent(f"{permission},{day(-9)},,form 10")
    system.before_sending = lambda: file_consent(f"{permission},{day(-9)},{day(-2)},form 10")
    outcome = system.admit("revoked", unit="SUDU")
    assert addresses_told() == {}
    assert system.suppressions(outcome) == {
        ("DeliverNotification", "PART2_NO_CONSENT", "part2-program", "")
    }
