"""`python -m local`: starts the whole system, sends it an admission, and stays until Ctrl-C."""

import argparse
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from lambdas.registry.importing.columns import InvalidRegistryError
from local.aws.sockets import HOST, PortError
from local.run.mpi import UnknownMpiError
from local.run.receiver_process import ReceiverError
from local.run.system import ROOT, Ports, System
from local.stack.deploy import DeploymentError
from local.stack.synth import SynthError
from ops.events.trail import EventTrail
from ops.sending import messages
from ops.sending.following import ending
from ops.sending.mllp import ReceiverConnection

ADMISSION = ROOT / "samples" / "admission.hl7"
WATCH_SECONDS = 60.0

EXPECTED = (
    DeploymentError,
    InvalidRegistryError,
    UnknownMpiError,
    PortError,
    ReceiverError,
    SynthError,
)
"""Errors that are no fault of this program; their text is shown."""

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """The process's exit status: 0 after Ctrl-C, 1 when something did not start."""
    options = _options()
    # Named one by one: a shell that starts us in the background has SIGINT ignored.
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    began = time.monotonic()
    try:
        ports = Ports.from_environment()
        _say("Starting hl7-ens on this machine")
        with System(ports, options.folder, _say) as system:
            _say(f"Ready after {time.monotonic() - began:.1f} s\n")
            _show_ports(ports)
            if options.sample:
                _send_sample(system)
            _say("Ctrl-C stops everything.")
            system.receiver.wait()
            return _complain(f"The receiver ended by itself; see {system.receiver.log}.")
    except EXPECTED as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        _say("\nStopped.")
        return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="The whole system on this machine. Ports: ENS_MLLP_PORT (17000), ENS_AWS_PORT"
        " (4566), ENS_CONSOLE_PORT (8080), ENS_HEALTH_PORT (17001). ENS_MPI=pixpdq or fhir looks"
        " patients up in a simulated MPI, with ENS_MPI_ADDRESS in a foreign one (docs/identity.md).",
    )
    parser.add_argument(
        "--no-sample", dest="sample", action="store_false", help="start without sending a message"
    )
    parser.add_argument(
        "--folder", type=Path, default=ROOT / ".local", help="where logs go (default: .local)"
    )
    return parser.parse_args()


def _interrupt(_: int, __: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C would cut the stopping short and leave processes behind.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _show_ports(ports: Ports) -> None:
    _say(f"  {ports.mllp:>5}  MLLP     send HL7 v2 messages here: ./ens send FILE")
    _say(f"  {ports.aws:>5}  AWS      AWS_ENDPOINT_URL=http://{HOST}:{ports.aws}")
    _say(f"  {ports.console:>5}  console  http://{HOST}:{ports.console}\n")


def _send_sample(system: System) -> None:
    """Sends the project's own admission, and shows how its event ends, for a minute at most."""
    _say(f"Sending {ADMISSION.relative_to(ROOT)} over MLLP")
    (message,) = messages.read(ADMISSION)
    with ReceiverConnection(HOST, system.ports.mllp, timeout=10) as connection:
        answer = connection.send(message)
    _say(f"  ACK      {answer.code or 'none'} {answer.text}".rstrip())
    control_id = message.control_id.decode("latin-1")
    trail = ending(system.trails, control_id, WATCH_SECONDS) if answer.accepted else None
    if trail is not None:
        _show_event(trail, system)


def _show_event(trail: EventTrail, system: System) -> None:
    _say(f"  event    {trail.event_id}  {trail.status}")
    for step in trail.steps:
        took = "" if step.duration_ms is None else f"{step.duration_ms} ms"
        _say(f"    {step.name:<22}{step.outcome:<12}{took:>8} {step.error_name}".rstrip())
    for advice in trail.what_to_do:
        _say(f"  what now {advice}")
    for mail in system.mailbox.list():
        if mail["event_id"] == trail.event_id:
            _say(f"  notified {', '.join(mail['to'])}")
    _say(f"  see it   http://{HOST}:{system.ports.console}/events/{trail.event_id}\n")


def _complain(sentence: str) -> int:
    print(f"hl7-ens: {sentence}", file=sys.stderr, flush=True)
    return 1


def _say(line: str, end: str = "\n") -> None:
    print(line, end=end, flush=True)
