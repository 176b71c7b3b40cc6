"""`ens preflight`: checks an environment before it is deployed."""

from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from environments import load
from ops.environment.preflight import assembly, runner
from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, Status
from ops.output import console, count, print_json
from ops.problem import ProblemError
from ops.session import Session, pass_session

STYLES = {
    Status.OK: "green",
    Status.WARNING: "yellow",
    Status.ERROR: "bold red",
    Status.NOT_CHECKED: "yellow",
}


@click.command("preflight")
@click.option(
    "--assembly",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder of the synthesised stacks; `make preflight ENV=` makes it.",
)
@click.option("--online", is_flag=True, help="Fail when a check could not call AWS.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@pass_session
def preflight_command(session: Session, *, folder: Path, online: bool, as_json: bool) -> None:
    """Checks an environment and its account before a deployment.

    It checks files, this machine and the AWS account, with read-only calls. Without credentials, the
    checks that call AWS are skipped. The exit code is 1 when a finding is an error.
    """
    try:
        plan = Plan(load(session.environment), assembly.read(folder))
    except FileNotFoundError:
        raise ProblemError(
            f"{folder} holds no synthesised stacks: run `make preflight ENV={session.environment}`."
        ) from None
    found, out = [], console()
    for check, finding in runner.run(plan, runner.AwsClients(plan.region)):
        found.append((check, finding))
        if not as_json:
            _say(check, finding, out)
    if as_json:
        print_json([{"check": check, **asdict(finding)} for check, finding in found])
    else:
        _sum_up(session.environment, [finding for _, finding in found], out)
    states = {finding.status for _, finding in found}
    if Status.ERROR in states or (online and Status.NOT_CHECKED in states):
        raise click.exceptions.Exit(1)


def _say(check: str, finding: PreflightFinding, out: Console) -> None:
    line = Text(f"{finding.status:<12}", style=STYLES[finding.status])
    line.append(f"{check}: {finding.what}", style="default")
    out.print(line, soft_wrap=True)
    if finding.status is Status.OK:
        return
    for title, text in (("where", finding.where), ("to do", finding.to_do)):
        if text:
            # Not wrapped, so that a command in it can be copied.
            out.print(Text(f"{'':12}{title}: {text}"), soft_wrap=True)


def _sum_up(environment: str, findings: list[PreflightFinding], out: Console) -> None:
    counts = {status: sum(f.status is status for f in findings) for status in Status}
    out.print(
        f"\n{environment}: {count(counts[Status.ERROR], 'error')},"
        f" {count(counts[Status.WARNING], 'warning')},"
        f" {counts[Status.NOT_CHECKED]} not checked, {counts[Status.OK]} ok."
    )
