"""Checks that this machine can build the receiver's arm64 image. Calls no AWS service.

An x86 machine needs QEMU for it (Docker docs, "Multi-platform builds"; aws-cdk issue 28863).
"""

import platform
import subprocess
from collections.abc import Callable, Iterator, Sequence

from ops.environment.preflight.check_input import Plan
from ops.environment.preflight.finding import PreflightFinding, error, ok

WANTED = "linux/arm64"
TIMEOUT_SECONDS = 30
INSTALL_QEMU = "docker run --privileged --rm tonistiigi/binfmt --install arm64"

Run = Callable[[Sequence[str]], str | None]


def run(command: Sequence[str]) -> str | None:
    """Returns a command's output, None when it is missing, fails, or takes more than 30 s."""
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def check(plan: Plan, run: Run = run, machine: str = "") -> Iterator[PreflightFinding]:
    """Docker runs, and builds for arm64."""
    if not any(plan.assembly.of_type("AWS::ECS::TaskDefinition")):
        return
    if run(["docker", "info"]) is None:
        yield error(
            "no Docker engine is running: the receiver's image cannot be built",
            "this machine",
            "start Docker, and check that `docker info` succeeds as this user",
        )
        return
    machine = machine or platform.machine()
    if machine in ("aarch64", "arm64"):
        yield ok(f"Docker builds {WANTED} on this machine")
        return
    builders = run(["docker", "buildx", "inspect", "--bootstrap"])
    if builders is None:
        yield error(
            "Docker has no buildx, which a build for another machine type needs",
            f"this machine ({machine})",
            "install the buildx plugin: https://docs.docker.com/build/install-buildx/",
        )
    elif WANTED not in builders:
        yield error(
            f"Docker cannot build for {WANTED} on this machine",
            f"this machine ({machine})",
            INSTALL_QEMU,
        )
    else:
        yield ok(f"Docker builds {WANTED} on this machine ({machine}) by emulation")
