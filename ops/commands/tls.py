"""The TLS options that `ens send` and `ens smoke` share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from ops.tls import TlsOptions

R = TypeVar("R")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--tls", "use_tls", is_flag=True, help="Speak TLS."),
    click.option(
        "--ca", type=_FILE, help="PEM of the authorities to trust. [default: this machine's]"
    ),
    click.option("--cert", type=_FILE, help="PEM of our certificate, for mutual TLS."),
    click.option("--key", type=_FILE, help="PEM of its key. [default: in the file of --cert]"),
    click.option(
        "--server-name", default="", help="Name in its certificate. [default: the host's]"
    ),
    click.option("--insecure", is_flag=True, help="Verify no certificate; on loopback only."),
)


def with_tls(command: Callable[..., R]) -> Callable[..., R]:
    """Adds the TLS options to a command, which gets them as `tls`: `TlsOptions`, or None without --tls."""

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
