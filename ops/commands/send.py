"""`ens send`: sends messages from files over MLLP and prints each acknowledgement."""

from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from hl7.acknowledgement import ReceivedAcknowledgement
from lambdas.common.contracts.workflow.status import EventStatus
from ops.commands.options import with_tls
from ops.deployment import receiver_address
from ops.output import console, count
from ops.sending import messages
from ops.sending.following import ending, outcome_line
from ops.sending.messages import OutgoingMessage
from ops.sending.mllp import NOT_ASKED_FOR, ReceiverConnection
from ops.sending.tls import TlsOptions
from ops.session import Session, pass_session
from ops.settings import MLLP_PORT


@click.command("send", epilog="Example: ens send --follow samples/admission.hl7")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE...",
)
@click.option("--host", default=None, help="Host of the receiver. [default: that of --env]")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="MLLP port.")
@with_tls
@click.option(
    "--timeout",
    default=30.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds to wait for each answer.",
)
@click.option("--raw", is_flag=True, help="Send the unchanged bytes of each file as one message.")
@click.option(
    "--control-ids", is_flag=True, help="Also print each MSH-10 (may identify a patient)."
)
@click.option(
    "--follow",
    is_flag=True,
    help="Wait for each event to end before the next, and print its outcome.",
)
@click.option(
    "--wait",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds to wait for each event with --follow.",
)
@pass_session
def send_command(
    session: Session,
    *,
    files: tuple[Path, ...],
    host: str | None,
    port: int | None,
    tls: TlsOptions | None,
    timeout: float,
    raw: bool,
    control_ids: bool,
    follow: bool,
    wait: float,
) -> None:
    """Sends the HL7 messages in files over MLLP.

    All are sent in order on one connection. A file may hold several messages, with any line ends. The
    exit code is 1 unless all are accepted (AA or CA) and, with --follow, all their events are completed.
    """
    read = _whole if raw else messages.read
    found = [(file, read(file)) for file in files]
    outgoing = [message for _, of_file in found for message in of_file]
    empty = [file for file, of_file in found if not of_file]
    rejected, failed, out = 0, 0, console()
    for file in empty:
        out.print(Text(f"--   {file.name}  not sent: no line begins with MSH"))
    if outgoing:
        with ReceiverConnection(*address_of(session, host, port), timeout, tls) as connection:
            sent = _Sent(connection, session if follow else None, wait, control_ids)
            rejected, failed = sent.all(outgoing, out)
    out.print(f"{count(len(outgoing), 'message')} sent, {len(outgoing) - rejected} accepted.")
    if rejected or empty or failed:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class _Sent:
    """Sends messages one after the other; with `followed`, each waits for the event before it to end."""

    connection: ReceiverConnection
    followed: Session | None
    wait_seconds: float
    control_ids: bool

    def all(self, outgoing: list[OutgoingMessage], out: Console) -> tuple[int, int]:
        """Prints each answer and outcome. Returns the messages not accepted, and the events not completed."""
        rejected = failed = 0
        with _progress(out) as progress:
            for message in progress.track(outgoing, description="sending"):
                answer = self.connection.send(message)
                accepted = answer.accepted or answer is NOT_ASKED_FOR
                rejected += not accepted
                out.print(_line(message, answer, self.control_ids), soft_wrap=True)
                if accepted and self.followed:
                    failed += not self._completes(message, self.followed, out)
        return rejected, failed

    def _completes(self, message: OutgoingMessage, session: Session, out: Console) -> bool:
        control_id = message.control_id.decode("utf-8", "replace")
        trail = ending(session.trail, control_id, self.wait_seconds)
        out.print(outcome_line(trail, self.wait_seconds), soft_wrap=True)
        return trail is not None and trail.status == EventStatus.COMPLETED


def _whole(file: Path) -> list[OutgoingMessage]:
    return [OutgoingMessage(file.name, 1, file.read_bytes())]


def address_of(session: Session, host: str | None, port: int | None) -> tuple[str, int]:
    """Returns host and port to send to: the options, else those of the environment."""
    if host:
        return host, port or MLLP_PORT
    found, default = receiver_address(session.environment)
    return found, port or default


def _progress(out: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )


def _line(message: OutgoingMessage, answer: ReceivedAcknowledgement, control_ids: bool) -> Text:
    style = "green" if answer.accepted else "default" if answer is NOT_ASKED_FOR else "bold red"
    line = Text().append(f"{answer.code or '--':4} ", style=style).append(message.label)
    if control_ids:
        line.append(f" {message.control_id.decode('latin-1')!r}")
    if answer.text:
        line.append(f"  {answer.text}")
    return line
