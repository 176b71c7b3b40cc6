"""`ens smoke`: three messages through a deployed environment, and what became of each."""

import time

import boto3
import click
from rich.console import Console

from ops import redrive
from ops.commands.send import address_of
from ops.deployment import CONFIG
from ops.mllp import Connection
from ops.output import console, count, duration
from ops.session import Session, operator, pass_session
from ops.smoke import Probe, probes
from ops.trail import EventTrail

POLL_SECONDS = 0.5
DLQ_TRIES = 4


@click.command("smoke")
@click.option("--host", default=None, help="The receiver. [default: that of --env]")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="Its MLLP port.")
@click.option("--wait", default=120.0, show_default=True, help="Seconds to wait for each ending.")
@click.option("--by", default="", help="Who does it, for the audit. [default: your user name]")
@click.option("--yes", is_flag=True, help="Do not ask before sending to prod.")
@pass_session
def smoke_command(
    session: Session, *, host: str | None, port: int | None, wait: float, by: str, yes: bool
) -> None:
    """Sends a good, a poison and a slow message, and prints what pipe, workflow and DLQ did.

    They notify nobody, and the poison one is taken off the dead-letter queue again. Exit code 1
    unless each ended as designed.
    """
    if session.environment == "prod" and not yes:
        click.confirm("Send three test messages to prod?", abort=True)
    who, out = operator(by), console()
    _say_pipe(session, out)
    missed = 0
    with Connection(*address_of(session, host, port), timeout=30.0) as connection:
        for probe in probes():
            answer = connection.send(probe.message)
            out.print(f"\n[bold]{probe.name}[/bold]: answered {answer.code or 'not'} {answer.text}")
            trail = _ending(session, probe, wait) if answer.accepted else None
            good = probe.as_expected(trail)
            missed += not good
            if trail:
                _say(trail, out)
            if trail and trail.status == "FAILED":
                _take_off(session, trail.event_id, who, out)
            out.print("  [green]as designed[/green]" if good else "  [bold red]not as designed[/]")
    if missed:
        raise click.exceptions.Exit(1)


def _ending(session: Session, probe: Probe, wait: float) -> EventTrail | None:
    """The event's trail once it ended, or as far as it came; None when no workflow began."""
    deadline = time.monotonic() + wait
    trail = None
    while time.monotonic() < deadline:
        for event_id in session.trail.find(probe.control_id):
            trail = session.trail.event(event_id)
        if trail and trail.status in ("COMPLETED", "FAILED"):
            return trail
        time.sleep(POLL_SECONDS)
    return trail


def _say(trail: EventTrail, out: Console) -> None:
    runs = max((step.run for step in trail.steps), default=0)
    began = next((step.offset_ms for step in trail.steps if step.run), None)
    ends = [step.offset_ms + (step.duration_ms or 0) for step in trail.steps if step.run]
    out.print(f"  event     {trail.event_id}")
    out.print(f"  pipe      started {count(runs, 'run')}, the first after {duration(began)}")
    error = f" {trail.error_name} in {trail.failed_step}" if trail.error_name else ""
    out.print(
        f"  workflow  {trail.status or 'no ending yet'}{error}, {duration(max(ends, default=None))} in all"
    )


def _take_off(session: Session, event_id: str, who: str, out: Console) -> None:
    """Takes the message off the dead-letter queue, which gets it a moment after the status says so."""
    for _ in range(DLQ_TRIES):
        if redrive.discard(session.deployment, event_id, who):
            out.print("  DLQ       held it; taken off again")
            return
        time.sleep(POLL_SECONDS)
    out.print("  DLQ       does not hold it: SQS redelivers it")


def _say_pipe(session: Session, out: Console) -> None:
    """The state of the environment's pipes; the local system plays its pipe itself."""
    if session.deployment.is_local:
        out.print("Pipe: played by the local system")
        return
    pipes = boto3.client("pipes", config=CONFIG)
    found = pipes.list_pipes(NamePrefix=f"hl7-ens-{session.environment}")["Pipes"]
    for pipe in found:
        out.print(f"Pipe: {pipe['Name']} {pipe['CurrentState']}")
    if not found:
        out.print("[yellow]Pipe: none found by the environment's name[/yellow]")
