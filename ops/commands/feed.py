"""`ens feed check`: reads the messages of a hospital and reports what its feed lacks."""

import re
from pathlib import Path

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from environments import EnvironmentFileError, load, load_sender
from ops.feed.checking.check import FeedCheck, new_check
from ops.feed.reading.files import FeedFile, feed_files, in_order_of_sending
from ops.feed.report.finding import Severity
from ops.feed.report.markdown import markdown
from ops.feed.report.report import FeedReport, report_of
from ops.feed.report.terminal import print_report
from ops.output import console, count, print_json
from ops.session import Session, pass_session

NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@click.group("feed")
def feed_group() -> None:
    """Checks the messages of a hospital before it is connected."""


@feed_group.command("check", epilog="Example: ens feed check samples --sender northgen")
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE|FOLDER...",
)
@click.option("--sender", "name", required=True, help="Name of the sender, known or new.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the report as Markdown.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option(
    "--propose",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the proposed sender's file to FILE, which must not exist.",
)
@click.option(
    "--file-names", is_flag=True, help="Print the name of each file too (may identify a patient)."
)
@pass_session
def check_command(
    session: Session,
    *,
    paths: tuple[Path, ...],
    name: str,
    as_markdown: bool,
    as_json: bool,
    target: Path | None,
    file_names: bool,
) -> None:
    """Reports what the messages of a hospital lack.

    It reads the messages in FILE|FOLDER..., sends nothing and calls no AWS. Files hold one or many
    messages, a capture of MLLP or batches; .gz and .zip are read too. Files of a folder are read in the
    order of their first MSH-7.

    The report holds counts, positions and codes, no value of a patient. The exit code is 1 when a
    finding is an error, 2 when nothing could be checked.
    """
    if as_markdown and as_json:
        raise click.UsageError("--markdown and --json are both given: choose one.")
    if target and (target.exists() or not target.parent.is_dir()):
        fault = "exists" if target.exists() else "is in a folder that does not exist"
        raise click.UsageError(f"--propose: {target} {fault}: choose another file.")
    files = feed_files(paths)
    if not files:
        raise click.UsageError("There is no file below the given folders.")
    check = _new_check(session.environment, name)
    _read(check, files)
    if not check.tally.messages:
        raise click.UsageError(_nothing(check))
    report = report_of(check)
    _print(report, as_markdown=as_markdown, as_json=as_json)
    if target:
        target.write_text(report.proposed_file, "utf-8")
    if file_names:
        for file in files:
            click.echo(f"file {file.number}: {file.name!r}", err=True)
    if report.count(Severity.ERROR):
        raise click.exceptions.Exit(1)


def _new_check(environment: str, name: str) -> FeedCheck:
    """A check for a sender that has a file or gets one. Raises `UsageError` for a wrong name or file."""
    if not NAME.fullmatch(name):
        raise click.UsageError("--sender: use lower-case letters, digits and hyphens.")
    try:
        return new_check(load(environment), name, load_sender(name, environment))
    except EnvironmentFileError as error:
        raise click.UsageError(str(error)) from None


def _read(check: FeedCheck, files: list[FeedFile]) -> None:
    out = console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    ) as progress:
        task = progress.add_task("reading", total=sum(file.size for file in files))
        done = 0
        for file in in_order_of_sending(files):
            check.read(file, lambda size: progress.advance(task, size))
            done += file.size
            # Compressed files have more bytes than their size on the disk.
            progress.update(task, completed=done)


def _print(report: FeedReport, *, as_markdown: bool, as_json: bool) -> None:
    if as_json:
        print_json(report)
    elif as_markdown:
        click.echo(markdown(report), nl=False)
    else:
        print_report(report, console())


def _nothing(check: FeedCheck) -> str:
    """The reason for which no message was found."""
    files = check.tally.files
    if files.unreadable.count == files.files:
        return f"{count(files.files, 'file')} cannot be read: check the permissions and the format."
    hint = (
        " MSH stands behind other text of a line: export the messages without it."
        if files.behind_text.count
        else " A message begins with MSH at the begin of a line or frame."
    )
    return f"There is no HL7 v2 message in {count(files.files, 'file')}.{hint}"
