"""`ens notification preview`: any sample, as its reader sees it, with no deployment at hand."""

from email import message_from_string, policy

import pytest
from click.testing import CliRunner, Result

from ops.cli import main


def preview(*arguments: str) -> Result:
    """The result of `ens notification preview …`."""
    return CliRunner().invoke(main, ["notification", "preview", *arguments], prog_name="ens")


@pytest.mark.parametrize(
    ("sample", "title"),
    [
        ("admission", "HOSPITAL ADMISSION"),
        ("ed_registration", "EMERGENCY DEPARTMENT VISIT"),
        ("transfer", "HOSPITAL TRANSFER"),
        ("discharge", "HOSPITAL DISCHARGE"),
        ("discharge_expired", "DEATH NOTICE"),
        ("cancel", "ADMISSION CANCELLED"),
    ],
)
def test_each_sample_is_shown_as_text(sample: str, title: str) -> None:
    result = preview(sample)
    assert result.exit_code == 0, result.output
    assert title in result.output


def test_the_html_and_the_mail_are_what_would_be_sent() -> None:
    html = preview("discharge", "--format", "html", "--language", "fr-CA").output
    assert html.startswith("<!DOCTYPE html>")
    assert 'lang="fr-CA"' in html
    mail = message_from_string(
        preview("discharge", "--format", "eml").output, policy=policy.default
    )
    assert mail["Subject"] == "Hospital discharge: a patient of yours (ref. 3F2A91C4)"
    assert mail.get_content_type() == "multipart/alternative"


def test_a_minimal_one_names_nobody() -> None:
    output = preview("admission", "--detail", "minimal").output
    assert "A. O." in output
    assert "Okafor" not in output


def test_a_message_without_notification_and_a_missing_sample_are_errors_in_a_sentence() -> None:
    for sample, sentence in (
        ("bed_move", "causes no notification"),
        ("nosuch", "There is no file and no sample"),
        ("wrong_version", "cannot be read"),
    ):
        result = preview(sample)
        assert (result.exit_code, sentence in result.output) == (1, True), result.output
