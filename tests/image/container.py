"""Runs an image's file system as ECS runs the receiver's task, with util-linux instead of an engine.

The process has its own mounts and process ids, a read-only root, the user of the image and no
capabilities. It shares the network of the machine.
"""

import json
import os
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

# The arguments are the root file system and the command.
_START = """
set -e
root=$1
shift
mount --bind "$root" "$root"
mount --options remount,bind,ro "$root"
mount --types proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True, slots=True)
class Image:
    """An image's root file system on this machine, and its configuration."""

    root: Path
    user: int
    group: int
    folder: str
    variables: dict[str, str]
    entrypoint: list[str]
    health_check: list[str]
    stop_signal: signal.Signals

    @classmethod
    def read(cls, root: str, config: str) -> Self:
        """The image mounted at `root`; `config` is a file with the output of `buildah inspect`."""
        document = json.loads(Path(config).read_text("utf-8"))["Docker"]["config"]
        user, group = document["User"].split(":")
        kind, *health_check = document["Healthcheck"]["Test"]
        assert kind == "CMD"
        return cls(
            root=Path(root),
            user=int(user),
            group=int(group),
            folder=document["WorkingDir"],
            variables=dict(variable.split("=", 1) for variable in document["Env"]),
            entrypoint=document["Entrypoint"],
            health_check=health_check,
            stop_signal=signal.Signals[document["StopSignal"]],
        )

    def command(self, command: list[str], variables: dict[str, str]) -> list[str]:
        """The command as the user of the image, without capabilities."""
        environment = {**variables, **self.variables}
        return [
            *("setpriv", f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups"),
            *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
            *("env", "--ignore-environment", f"--chdir={self.folder}"),
            *(f"{name}={value}" for name, value in environment.items()),
            *command,
        ]


@dataclass(slots=True)
class Container:
    """A container of an image. Its entrypoint runs inside the `with` block."""

    image: Image
    variables: dict[str, str]
    process: "subprocess.Popen[str]" = field(init=False)

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork"),
                *("sh", "-c", _START, "start", str(self.image.root)),
                *self.image.command(self.image.entrypoint, self.variables),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.kill(self.pid, signal.SIGKILL)
        self.process.communicate()

    @property
    def pid(self) -> int:
        """The entrypoint's process id on this machine; in the container it is 1."""
        unshare = self.process.pid
        return int(Path(f"/proc/{unshare}/task/{unshare}/children").read_text())

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Runs another command in the container, as `docker exec` does."""
        return subprocess.run(
            [
                *("nsenter", f"--target={self.pid}", "--mount", "--pid", "--root"),
                *self.image.command(command, self.variables),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def stop(self) -> int:
        """Sends the image's stop signal, and returns the status with which the entrypoint ends."""
        os.kill(self.pid, self.image.stop_signal)
        self.process.communicate(timeout=30)
        return self.process.returncode
