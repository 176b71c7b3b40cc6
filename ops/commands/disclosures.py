"""`ens audit patient` and `ens audit provider`: who was told what, when, and by which rule."""

import json
import re
import sys
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import click

from environments.retention import SIX_YEARS
from lambdas.common.clock import now
from lambdas.common.contracts.audit import AuditOutcome, LookedAt
from ops.audit import looks
from ops.commands.options import period_of, with_period
from ops.disclosures import accounting, fhir, spreadsheet, terminal
from ops.disclosures.audit_search import (
    DisclosureAccount,
    event_of_notice,
    of_patient,
    of_provider,
    patients_of_event,
)
from ops.disclosures.subjects import Subject, patient, provider
from ops.output import console
from ops.period import Period
from ops.problem import ProblemError
from ops.session import Session, pass_session

NOTICE = re.compile(r"[0-9a-fA-F]{8,32}")


class AnswerForm(StrEnum):
    """The forms of the answer."""

    TEXT = "text"
    CSV = "csv"
    FHIR = "fhir"
    ACCOUNTING = "accounting"


def form_option(*forms: AnswerForm) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds `--format` with these forms."""
    return click.option(
        "--format",
        "form",
        type=click.Choice([str(form) for form in forms]),
        default=str(AnswerForm.TEXT),
        show_default=True,
        help="Form of the answer.",
    )


@click.command(
    "patient", epilog="Example: ens audit patient --identifier H00412 --authority NORTHGEN"
)
@click.option("--identifier", default="", help="The patient's identifier, with --authority.")
@click.option("--authority", default="", help="The identifier's assigning authority.")
@click.option("--notice", default="", help="The reference in a provider's notice, or an event id.")
@with_period("6 years ago")  # as far as an accounting reaches back: 45 CFR 164.528(a)(1)
@form_option(*AnswerForm)
@pass_session
def patient_command(
    session: Session,
    *,
    identifier: str,
    authority: str,
    notice: str,
    since: datetime | None,
    until: datetime | None,
    form: str,
) -> None:
    """Shows who was told what about a patient, when and why.

    It also shows who was not told, with the reason. The patient is named by an identifier of the
    registry or by a notice. The output names providers, no patient; `--format accounting` repeats the
    identifier. The reading itself is audited.
    """
    if bool(notice) == bool(identifier or authority) or bool(identifier) != bool(authority):
        raise click.UsageError("Give --identifier and --authority, or --notice.")
    period = period_of(since, until, SIX_YEARS)
    context = session.context
    if notice:
        subject = _of_notice(session, notice, period)
        asked = f"of notice {notice.upper()}"
    else:
        subject = patient(
            context, session.deployment.output("RegistryTable"), authority, identifier
        )
        asked = f"{identifier} ({authority})"
    _audit_question(session, subject, period)
    account = of_patient(context, subject.references, period)
    if subject.merges_unread:
        click.echo(
            "Merges that no import of identifiers has followed are not included: this role may not"
            " read patients.",
            err=True,
        )
    _show(account, subject, AnswerForm(form), period, asked=asked)


@click.command("provider", epilog="Example: ens audit provider --npi 1888888884 --from 2026-11-01")
@click.option("--id", "provider_id", default="", help="The provider's id in the registry.")
@click.option("--npi", default="", help="The provider's National Provider Identifier.")
@with_period("6 years ago")
@form_option(AnswerForm.TEXT, AnswerForm.CSV, AnswerForm.FHIR)
@pass_session
def provider_command(
    session: Session,
    *,
    provider_id: str,
    npi: str,
    since: datetime | None,
    until: datetime | None,
    form: str,
) -> None:
    """Shows what a provider was told, when and why.

    It also shows what was suppressed. Patients appear by reference. The reading itself is audited.
    """
    if bool(provider_id) == bool(npi):
        raise click.UsageError("Give --id or --npi.")
    period = period_of(since, until, SIX_YEARS)
    context = session.context
    subject = provider(context, session.deployment.output("RegistryTable"), provider_id, npi)
    looks.record_audit_use(
        session.context,
        session.principal,
        LookedAt.AUDIT_OF_PROVIDER,
        period,
        recipient_ref=subject.references[0],
    )
    account = of_provider(context, subject.references, period)
    _show(account, subject, AnswerForm(form), period)


def _audit_question(session: Session, subject: Subject, period: Period) -> None:
    """Audits the question about a patient, also one whom the registry does not file: the answer says so.

    Raises `ProblemError` for such a patient.
    """
    known = subject.references
    looks.record_audit_use(
        session.context,
        session.principal,
        LookedAt.AUDIT_OF_PATIENT,
        period,
        patient_ref=known[0] if known else "",
        outcome=AuditOutcome.OK if known else AuditOutcome.UNKNOWN_PATIENT,
    )
    if not known:
        raise ProblemError(
            "The registry files no patient under this identifier. With an MPI, name the event of a notice:"
            " --notice."
        )


def _of_notice(session: Session, notice: str, period: Period) -> Subject:
    """The references of the patient of a notice. Raises `ProblemError` when it names no event or several."""
    if not NOTICE.fullmatch(notice):
        raise ProblemError(
            "--notice takes the 8 digits of a notice (ref. 670F7743), or an event id."
        )
    context = session.context
    found = [notice.lower()] if len(notice) == 32 else event_of_notice(context, notice, period)
    if len(found) > 1:
        raise ProblemError(
            f"{len(found)} events have this reference: narrow --from and --to, or give an event id."
            f" ({', '.join(found)})"
        )
    references = patients_of_event(context, found[0]) if found else set()
    if not references:
        raise ProblemError(
            f"{session.environment} has no notice with this reference in the period. The reference of a"
            " summary names no single event: use that of a notice in it, or --identifier."
        )
    return Subject(tuple(sorted(references)))


def _show(
    account: DisclosureAccount,
    subject: Subject,
    form: AnswerForm,
    period: Period,
    *,
    asked: str = "",
) -> None:
    """Writes the answer. `asked` is the patient of the question, "" for a provider's."""
    match form:
        case AnswerForm.CSV:
            spreadsheet.write(account.disclosures, subject.names, sys.stdout)
        case AnswerForm.FHIR:
            click.echo(json.dumps(fhir.bundle(account.disclosures, subject.names, now()), indent=2))
        case AnswerForm.ACCOUNTING:
            click.echo(
                accounting.markdown(
                    account, subject.names, patient=asked, period=period, prepared=now()
                ),
                nl=False,
            )
        case AnswerForm.TEXT:
            terminal.show(account, subject.names, console(), by_patient=bool(asked))
