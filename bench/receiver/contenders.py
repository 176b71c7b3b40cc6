"""The servers that are measured, with the command of each, or the reason why it cannot run."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.receiver import camel, peers_environment
from bench.receiver.processes import receiver_environment

# Camel's rate rises for its first 40 CPU seconds, while its code is compiled.
JVM_WARM_CPU_SECONDS = 40.0
_CAMEL = "Apache Camel"


@dataclass(frozen=True, slots=True)
class Contender:
    """One server. `mode` is the generator's; `stores` says that it stores before it acknowledges.

    It is loaded until it has used `warm_cpu_seconds` before anything is measured.
    """

    name: str
    command: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    mode: str = ""
    stores: bool = True
    peer: bool = True
    warm_cpu_seconds: float = 0.5
    absent: str = ""

    @property
    def modes(self) -> tuple[str, ...]:
        """The generator's. One that stores shares its core with the stub, and must let that work."""
        named = (self.mode,) if self.mode else ()
        return named if self.stores else (*named, "awake")

    @property
    def slug(self) -> str:
        """Its name as a file name."""
        return "".join(c if c.isalnum() else "-" for c in self.name)


def contenders(folder: Path, wanted: Sequence[str]) -> list[Contender]:
    """Those whose names hold one of `wanted`, the absent ones with the reason.

    Builds what is to be built for them.
    """

    def chosen(name: str) -> bool:
        return any(part in name.lower() for part in wanted)

    python, absent = peers_environment.python(folder)

    def peer(name: str, module: str, *arguments: str, mode: str = "") -> Contender:
        command = (python, "-m", f"bench.receiver.peers.{module}", "{port}", *arguments)
        return Contender(name, command, mode=mode, absent=absent)

    def ours(name: str, module: str, *arguments: str, stores: bool = True) -> Contender:
        command = (sys.executable, "-m", module, *arguments)
        return Contender(name, command, environment=_OURS, stores=stores, peer=False)

    class_path, no_camel = camel.build(folder) if chosen(_CAMEL) else ("", "")
    everyone = [
        Contender(
            "echo (framing ceiling)",
            (python, "-m", "bench.receiver.peers.echo", "{port}"),
            mode="echo",
            stores=False,
            peer=False,
            absent=absent,
        ),
        ours("hl7-ens, ack alone", "bench.receiver.instant", "take", stores=False),
        ours("hl7-ens, instant store", "bench.receiver.instant", stores=False),
        ours("hl7-ens", "receiver"),
        Contender(
            _CAMEL,
            ("java", *camel.JVM_OPTIONS, "-cp", class_path, "bench.CamelReceiver", "{port}"),
            warm_cpu_seconds=JVM_WARM_CPU_SECONDS,
            absent=no_camel,
        ),
        peer("python-hl7", "python_hl7"),
        peer("python-hl7, unparsed", "python_hl7", "frames"),
        peer("hl7apy", "hl7apy_mllp", mode="close"),
    ]
    return [contender for contender in everyone if chosen(contender.name)]


# `{port}` and `{health}` are filled in at the start, as in commands.
_OURS = receiver_environment("{port}", "{health}") | {"ENS_MAX_CONNECTIONS_PER_PEER": "1000"}
