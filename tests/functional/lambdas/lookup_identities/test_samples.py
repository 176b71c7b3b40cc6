"""Sample messages, read by ParseMessage's own reader, against the seeds of the local system."""

from pathlib import Path

import pytest

from hl7.warnings import MessageWarning, WarningCode
from lambdas.common.contracts.document import read_as
from lambdas.common.contracts.recipients.identities import Identities
from lambdas.common.errors import EnsError, IdentityConflictError, IdentityNotFoundError
from lambdas.lookup_identities.context import LookupContext
from lambdas.parse_message.read_event import read_event
from tests.functional.lambdas.lookup_identities.conftest import RunStep
from tests.support.decided import decided
from tests.support.vault import read_json

ROOT = Path(__file__).resolve().parents[4]
BLOG = ROOT.parent / "shared" / "samples" / "aws-blog.hl7"
EVENT_ID = "d" * 32

LINDQVIST = "petra.lindqvist@millclinic.example"
CHEN = "wei.chen@heartcare.example"


def told(
    context: LookupContext, run_step: RunStep, file: Path, sender: str
) -> tuple[dict[str, tuple[str, ...]], Identities]:
    """Address -> reasons, and the whole of identities.json."""
    result = run_step(decided(read_event(file.read_bytes(), EVENT_ID, sender)))
    document = read_json(context, EVENT_ID, "identities.json", result["version_id"])
    identities = read_as(Identities, document)
    return {known.address: known.reasons for known in identities.recipients}, identities


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("name", "recipients"),
    [
        ("admission", {LINDQVIST: ("primary_care",)}),
        ("ed_registration", {LINDQVIST: ("primary_care",)}),
        ("discharge", {LINDQVIST: ("primary_care",)}),
        ("transfer", {LINDQVIST: ("primary_care",)}),
        ("phi_in_ids", {LINDQVIST: ("primary_care",)}),
        ("two_recipients", {CHEN: ("care_team", "consulting"), LINDQVIST: ("primary_care",)}),
        ("no_recipient", {}),
    ],
)
def test_the_samples_reach_whom_their_readme_says(
    context: LookupContext, run_step: RunStep, name: str, recipients: dict[str, tuple[str, ...]]
) -> None:
    found, _ = told(context, run_step, ROOT / "samples" / f"{name}.hl7", "northgen")
    assert found == recipients


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("name", "error"),
    [("unknown_patient", IdentityNotFoundError), ("conflict", IdentityConflictError)],
)
def test_the_samples_that_must_fail_fail_by_name(
    context: LookupContext, run_step: RunStep, name: str, error: type[EnsError]
) -> None:
    with pytest.raises(error):
        told(context, run_step, ROOT / "samples" / f"{name}.hl7", "northgen")


@pytest.mark.usefixtures("registry")
@pytest.mark.skipif(not BLOG.exists(), reason="the AWS blog's sample is not beside this checkout")
def test_the_aws_blogs_sample_reaches_john_smith(context: LookupContext, run_step: RunStep) -> None:
    found, identities = told(context, run_step, BLOG, "aws-blog")
    assert found == {"john.smith@provider.example": ("primary_care",)}
    assert identities.matched_on == ("PID-4", "PID-5.1", "PID-7", "PID-8")
    assert identities.warnings == (MessageWarning(WarningCode.NO_AUTHORITY, "PID-3"),)
