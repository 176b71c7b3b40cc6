"""`ens smoke`: sends three messages through a deployed environment and checks the result of each."""

from collections.abc import Callable, Sequence
from functools import partial

import boto3
import click
from rich.console import Console
from rich.text import Text

from environments import load
from hl7.acknowledgement import ReceivedAcknowledgement
from lambdas.common.contracts.workflow.status import EventStatus
from ops.commands.options import with_tls
from ops.commands.send import address_of
from ops.deployment import CONFIG, ingress_outputs
from ops.events.trail import EventTrail
from ops.output import clock, console, count, duration
from ops.problem import ProblemError
from ops.sending.mllp import ReceiverConnection
from ops.sending.tls import TlsOptions
from ops.session import Session, pass_session
from ops.smoke.patient import registered
from ops.smoke.probes import Probe, new_run, probes
from ops.smoke.task import OneOffTask
from ops.smoke.watching import Watcher

DLQ_SECONDS = 3.0
ANSWER_SECONDS = 30.0

Send = Callable[[Sequence[Probe], Callable[[], object]], dict[str, ReceivedAcknowledgement]]
"""Sends the probes and returns the acknowledgements by probe name. Calls the function while it waits."""


@click.command("smoke")
@click.option("--host", default=None, help="Host of the receiver. [default: that of --env]")
@click.option("--port", default=None, type=click.IntRange(1, 65535), help="MLLP port.")
@click.option("--in-vpc", is_flag=True, help="Send from a one-off Fargate task in the VPC.")
@with_tls
@click.option(
    "--wait",
    default=120.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Seconds to wait for each event to end.",
)
@click.option("--yes", is_flag=True, help="Do not ask before sending to prod.")
@pass_session
def smoke_command(
    session: Session,
    *,
    host: str | None,
    port: int | None,
    in_vpc: bool,
    tls: TlsOptions | None,
    wait: float,
    yes: bool,
) -> None:
    """Sends three test messages, and checks each result.

    One is good, one is poison, one is slow. The good message notifies an invented provider at SES's
    mailbox simulator. Afterwards the registry entries and the poison message's dead letter are removed.
    The exit code is 1 unless each message ends as expected. From outside the VPC, use --in-vpc to reach
    a deployed receiver.
    """
    if in_vpc and (host or port or tls):
        raise click.UsageError(
            "--in-vpc uses the deployment's address and TLS: leave out the others."
        )
    if session.environment == "prod" and not yes:
        click.confirm("Send three test messages to prod?", abort=True)
    who, out, run = session.principal, console(), new_run()
    found = probes(load(session.environment), run)
    red_before = _red_alarms(session)
    _say_pipe(session, out)
    watcher = Watcher(session, who)
    with registered(session.deployment, run, who):
        send = _transport(session, host, port, tls, in_vpc)
        answers = send(found, watcher.sweep)
        missed = [
            probe.name
            for probe in found
            if not _follow(probe, answers.get(probe.name), watcher, wait, out)
        ]
    new = sorted(_red_alarms(session) - red_before)
    for name in new:
        out.print(Text.assemble(("\nnew alarm during the test:", "bold red"), f" {name}"))
    if missed or new:
        raise click.exceptions.Exit(1)


def _transport(
    session: Session, host: str | None, port: int | None, tls: TlsOptions | None, in_vpc: bool
) -> Send:
    if in_vpc:
        if session.deployment.is_local:
            raise ProblemError("The local system has no VPC: run `ens smoke` without --in-vpc.")
        ecs, logs = (boto3.client(name, config=CONFIG) for name in ("ecs", "logs"))
        return OneOffTask(ingress_outputs(session.environment), ecs, logs).send
    if not host and not session.deployment.is_local:
        click.echo("The load balancer is internal: use --in-vpc from outside its VPC.", err=True)
    address = address_of(session, host, port)
    return partial(_send_from_here, ReceiverConnection(*address, ANSWER_SECONDS, tls))


def _send_from_here(
    connection: ReceiverConnection, probes: Sequence[Probe], while_waiting: Callable[[], object]
) -> dict[str, ReceivedAcknowledgement]:
    answers = {}
    with connection:
        for probe in probes:
            answers[probe.name] = connection.send(probe.message)
            while_waiting()
    return answers


def _red_alarms(session: Session) -> set[str]:
    """The names of the environment's alarms in state ALARM. The local system has no alarms."""
    if session.deployment.is_local:
        return set()
    pages = boto3.client("cloudwatch", config=CONFIG).get_paginator("describe_alarms")
    prefix = f"hl7-ens-{session.environment}-"
    return {
        alarm["AlarmName"]
        for page in pages.paginate(AlarmNamePrefix=prefix, StateValue="ALARM")
        for alarm in page["MetricAlarms"]
    }


def _follow(
    probe: Probe,
    answer: ReceivedAcknowledgement | None,
    watcher: Watcher,
    wait: float,
    out: Console,
) -> bool:
    """Prints the result of a probe. Returns whether it is the expected one."""
    said = f"answered {answer.code or 'not'} {answer.text}" if answer else "not sent"
    out.print(Text.assemble((f"\n{probe.name}", "bold"), f": {said}"))
    trail = watcher.ending(probe, wait) if answer and answer.accepted else None
    if trail:
        _say(probe, trail, out)
    if trail and trail.status == EventStatus.FAILED:
        swept = watcher.has_swept(trail.event_id, DLQ_SECONDS)
        out.print(
            "  DLQ       the message was there and is now removed"
            if swept
            else "  DLQ       the message is not there: SQS redelivers it"
        )
    good = probe.as_expected(trail)
    if good:
        out.print("  as expected", style="green")
    else:
        out.print("  not as expected", style="bold red")
    return good


def _say(probe: Probe, trail: EventTrail, out: Console) -> None:
    runs = max((step.run for step in trail.steps), default=0)
    began = next((step.offset_ms for step in trail.steps if step.run), None)
    ends = [step.offset_ms + (step.duration_ms or 0) for step in trail.steps if step.run]
    out.print(f"  event     {trail.event_id}")
    out.print(f"  pipe      started {count(runs, 'run')}, the first after {duration(began)}")
    error = f" {trail.error_name} in {trail.failed_step}" if trail.error_name else ""
    out.print(
        f"  workflow  {trail.status or 'not ended'}{error}, {duration(max(ends, default=None))} in total"
    )
    if probe.sends_mail:
        _say_mail(trail, out)


def _say_mail(trail: EventTrail, out: Console) -> None:
    if not trail.recipients:
        out.print("  mail      no recipient found")
    for recipient in trail.recipients:
        reported = ", ".join(f"{f.outcome} {clock(f.time)}" for f in recipient.feedback)
        out.print(
            f"  mail      {recipient.outcome or 'not sent'}; SES events: {reported or 'none yet'}"
        )


def _say_pipe(session: Session, out: Console) -> None:
    """Prints the state of the environment's pipes. The local system runs its own."""
    if session.deployment.is_local:
        out.print("Pipe: part of the local system")
        return
    pipes = boto3.client("pipes", config=CONFIG)
    found = pipes.list_pipes(NamePrefix=f"hl7-ens-{session.environment}-")["Pipes"]
    for pipe in found:
        out.print(f"Pipe: {pipe['Name']} {pipe['CurrentState']}")
    if not found:
        out.print(f"Pipe: none with the name hl7-ens-{session.environment}-*", style="yellow")
