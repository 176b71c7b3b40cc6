"""`ens notification`: what a reader would see, without sending anything."""

from pathlib import Path

import click

from ops import preview
from ops.problem import ProblemError


@click.group("notification")
def notification_group() -> None:
    """Shows notifications as their readers see them."""


@notification_group.command("preview")
@click.argument("sample", metavar="SAMPLE")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "text", "eml"]),
    default="text",
    show_default=True,
    help="The HTML, the plain text, or the whole mail.",
)
@click.option("--language", type=click.Choice(["en", "fr-CA"]), default="en", show_default=True)
@click.option("--detail", type=click.Choice(["full", "minimal"]), default="full", show_default=True)
@click.option("--bundle", is_flag=True, help="With the FHIR message attached (in the mail).")
def preview_command(sample: str, form: str, language: str, detail: str, bundle: bool) -> None:
    """Renders the notification of a message, and sends nothing.

    SAMPLE is the name of a sample message (`admission`, `discharge` …) or a file that holds one. Give
    it no real patient's message: what it prints is what the message says.
    """
    event = preview.event_of(_read(sample))
    if not event.kind:
        raise ProblemError(f"{sample} is a message of which nobody is told.")
    click.echo(preview.shown(event, form, language, detail, bundle), nl=False)


def _read(sample: str) -> bytes:
    file = Path(sample)
    named = preview.SAMPLES / f"{sample}.hl7"
    if file.is_file():
        return file.read_bytes()
    if file.name == sample and named.is_file():
        return named.read_bytes()
    known = ", ".join(sorted(path.stem for path in preview.SAMPLES.glob("*.hl7")))
    raise ProblemError(f"There is no file and no sample {sample}. Samples: {known}.")
