"""`ens phi`: shows patient data to a person with break-glass access, with a reason."""

from collections.abc import Callable
from pathlib import Path

import click

from ops import patient_data
from ops.commands.options import with_reason
from ops.output import count
from ops.session import Session, pass_session

WARNING = "Patient data. This reading is recorded in the audit, and reported where an alarm is set."

_with_output = click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the bytes to a new file that only you can read, and show nothing.",
)


@click.group("phi")
def phi_group() -> None:
    """Shows patient data, with break-glass access and a reason.

    Each reading is audited and alarmed.
    """


@phi_group.command("message", epilog="Example: ens phi message EVENT_ID --reason 'ticket 4711'")
@click.argument("event_id")
@with_reason
@_with_output
@pass_session
def message_command(session: Session, event_id: str, reason: str, output: Path | None) -> None:
    """Shows the received message of an event.

    Each segment is a line. --output writes the bytes as they were received.
    """
    content = patient_data.message(session, event_id, reason)
    _give(content, patient_data.message_lines, output)


@phi_group.command("mail")
@click.argument("delivery_id")
@with_reason
@_with_output
@pass_session
def mail_command(session: Session, delivery_id: str, reason: str, output: Path | None) -> None:
    """Shows the mail of a delivery: head and plain text.

    --output writes all of it (MIME).
    """
    content = patient_data.mail(session, delivery_id, reason)
    _give(content, patient_data.mail_lines, output)


@phi_group.command("rejected")
@click.argument("key")
@with_reason
@_with_output
@pass_session
def rejected_command(session: Session, key: str, reason: str, output: Path | None) -> None:
    """Shows a message that the receiver rejected. KEY is that of `ens rejected list`."""
    content = patient_data.rejected(session, key, reason)
    _give(content, patient_data.message_lines, output)


def _give(content: bytes, lines: Callable[[bytes], list[str]], output: Path | None) -> None:
    """Shows the content in the terminal, or writes it to a file that must not exist yet."""
    click.echo(WARNING, err=True)
    if output is None:
        click.echo("\n".join(lines(content)))
        return
    # Mode 0600 from the start, and no existing file, whose mode would stay.
    output.touch(mode=0o600, exist_ok=False)
    output.write_bytes(content)
    click.echo(f"{count(len(content), 'byte')} written. Delete the file when you are done.")
