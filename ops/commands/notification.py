"""`ens notification`: renders a notification from a message, without sending it."""

from pathlib import Path

import click

from lambdas.common.contracts.recipients.preferences import DetailLevel
from ops import preview
from ops.problem import ProblemError


@click.group("notification")
def notification_group() -> None:
    """Renders notifications."""


@notification_group.command(
    "preview", epilog="Example: ens notification preview discharge --language fr-CA"
)
@click.argument("sample", metavar="SAMPLE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "text", "eml"]),
    default="text",
    show_default=True,
    help="The HTML, the plain text, or the whole mail.",
)
@click.option(
    "--language",
    type=click.Choice(["en", "fr-CA"]),
    default="en",
    show_default=True,
    help="Language of the recipient.",
)
@click.option(
    "--detail",
    type=click.Choice(["full", "minimal"]),
    default="full",
    show_default=True,
    help="Detail that the recipient gets.",
)
@click.option("--bundle", is_flag=True, help="Attach the FHIR message to the mail.")
def preview_command(sample: str, form: str, language: str, detail: str, bundle: bool) -> None:
    """Renders the notification of a message, and sends nothing.

    SAMPLE is the name of a sample message (`admission`, `discharge` …) or a file with one message. Do
    not use a real patient's message: the output holds its content.
    """
    event = preview.event_of(_read(sample))
    if not event.event_kind:
        raise ProblemError(f"{sample} causes no notification.")
    click.echo(preview.shown(event, form, language, DetailLevel(detail), bundle), nl=False)


def _read(sample: str) -> bytes:
    file = Path(sample)
    named = preview.SAMPLES / f"{sample}.hl7"
    if file.is_file():
        return file.read_bytes()
    if file.name == sample and named.is_file():
        return named.read_bytes()
    known = ", ".join(sorted(path.stem for path in preview.SAMPLES.glob("*.hl7")))
    raise ProblemError(f"There is no file and no sample {sample}. Samples: {known}.")
