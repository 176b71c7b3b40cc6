"""Options that several commands share: days, reason and TLS."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from ops.period import Period
from ops.sending.tls import TlsOptions

R = TypeVar("R")

DAY = click.DateTime(["%Y-%m-%d"])
DAY_SHOWN = "YYYY-MM-DD"

with_reason = click.option(
    "--reason",
    required=True,
    help="The reason, for the audit. Without patient data: name the ticket or the question.",
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--tls", "use_tls", is_flag=True, help="Use TLS."),
    click.option(
        "--ca", type=_FILE, help="PEM file of trusted authorities. [default: this machine's]"
    ),
    click.option("--cert", type=_FILE, help="PEM file of the client certificate (mutual TLS)."),
    click.option("--key", type=_FILE, help="PEM file of its key. [default: the file of --cert]"),
    click.option(
        "--server-name", default="", help="Name in the server's certificate. [default: --host]"
    ),
    click.option("--insecure", is_flag=True, help="Do not verify the certificate; loopback only."),
)


def with_tls(command: Callable[..., R]) -> Callable[..., R]:
    """Adds the TLS options to a command, as its argument `tls`: `TlsOptions`, or None without --tls."""

    @wraps(command)
    def run(
        *arguments: Any,
        use_tls: bool,
        ca: Path | None,
        cert: Path | None,
        key: Path | None,
        server_name: str,
        insecure: bool,
        **options: Any,
    ) -> R:
        if not use_tls and (ca or cert or key or server_name or insecure):
            raise click.UsageError("--ca, --cert, --key, --server-name and --insecure need --tls.")
        if key and not cert:
            raise click.UsageError("--key needs --cert.")
        tls = TlsOptions(
            ca=ca, certificate=cert, key=key, server_name=server_name, insecure=insecure
        )
        return command(*arguments, tls=tls if use_tls else None, **options)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def with_period(default: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Adds `--from` and `--to`, the first and last day (UTC), as arguments `since` and `until` of `period_of`.

    `default` names the first day that is meant without `--from`.
    """

    def add(command: Callable[..., R]) -> Callable[..., R]:
        since = click.option(
            "--from",
            "since",
            type=DAY,
            metavar=DAY_SHOWN,
            help=f"First day, UTC. [default: {default}]",
        )
        until = click.option(
            "--to", "until", type=DAY, metavar=DAY_SHOWN, help="Last day, UTC. [default: today]"
        )
        return since(until(command))

    return add


def period_of(since: datetime | None, until: datetime | None, days: int = 0) -> Period:
    """Returns the days from `since` to `until`, and none after today.

    Without `since` it begins so many days before its last one. Raises `UsageError` when it has no day.
    """
    today = datetime.now(UTC).date()
    last = min(until.date(), today) if until else today
    first: date = since.date() if since else last - timedelta(days=days)
    if first > today:
        raise click.UsageError("The first day has not begun yet.")
    if last < first:
        raise click.UsageError("--to is before --from.")
    return Period(first, last)
