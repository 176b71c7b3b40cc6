"""The command `ens`: the options of all commands, and the sentence for each expected failure."""

import sys
from io import TextIOWrapper
from typing import Any

import click

from ops import __version__, settings
from ops.commands.audit import audit_group
from ops.commands.cost import cost_command
from ops.commands.deliveries import deliveries_group
from ops.commands.disclosures import patient_command, provider_command
from ops.commands.dlq import dlq_group
from ops.commands.encounters import encounters_group
from ops.commands.events import events_command
from ops.commands.feed import feed_group
from ops.commands.looks import looks_command
from ops.commands.notification import notification_group
from ops.commands.phi import phi_group
from ops.commands.preflight import preflight_command
from ops.commands.registry import registry_group
from ops.commands.rejected import rejected_group
from ops.commands.replay import replay_command
from ops.commands.report import report_group
from ops.commands.retention import retention_group
from ops.commands.roster import roster_group
from ops.commands.send import send_command
from ops.commands.senders import senders_group
from ops.commands.smoke import smoke_command
from ops.commands.trace import trace_command
from ops.problem import FAILURES, is_denied, sentence
from ops.roles import advice
from ops.session import Session


class ErrorReportingGroup(click.Group):
    """A group of commands that prints one sentence for an expected failure."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Runs `ens`. A character that the output's encoding lacks is written as an escape."""
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        return super().main(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command. Raises click's `Exit` after a failure of `ops.problem.FAILURES`."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # click exits without a message when the reader of a pipe has ended, as in `ens … | head`
        except FAILURES as error:
            click.ClickException(_said(error, ctx.obj)).show()
            raise click.exceptions.Exit(ctx.obj.failure_code if ctx.obj else 1) from None


def _said(error: Exception, session: Session | None) -> str:
    """The failure in a sentence, and for a missing right the role that has it."""
    if session is None:
        return sentence(error)
    said = session.typed(sentence(error))
    if not is_denied(error):
        return said
    return f"{said} {advice(session.command, session.environment)}".rstrip()


@click.group(cls=ErrorReportingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--env",
    "environment",
    default="local",
    envvar="ENS_ENV",
    show_default=True,
    show_envvar=True,
    help="The environment: local, dev, staging or prod.",
)
@click.version_option(__version__, prog_name="ens", message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, environment: str) -> None:
    """Traces, audits, sends and redrives patient events.

    The output holds references, codes and counts. `ens phi` alone shows patient data.

    The exit code is 0, 1 after a failure, and 2 for a wrong option or argument. Commands that check
    something name their own.
    """
    settings.check()
    ctx.obj = Session(environment)


audit_group.add_command(looks_command)
for command in (
    trace_command,
    events_command,
    encounters_group,
    dlq_group,
    rejected_group,
    phi_group,
    replay_command,
    send_command,
    senders_group,
    audit_group,
    report_group,
    cost_command,
    registry_group,
    roster_group,
    retention_group,
    smoke_command,
    preflight_command,
    feed_group,
    notification_group,
    deliveries_group,
):
    main.add_command(command)

for of_people in (patient_command, provider_command):
    audit_group.add_command(of_people)
