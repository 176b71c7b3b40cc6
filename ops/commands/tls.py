"""The TLS options that `ens send` and `ens smoke` share."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from ops.sending.tls import TlsOptions

R = TypeVar("R")

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
