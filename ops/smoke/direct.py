"""Sends the probes from this machine, over MLLP with or without TLS."""

from collections.abc import Callable, Sequence

from hl7.acknowledgement import ReceivedAcknowledgement
from ops.sending.mllp import ReceiverConnection
from ops.smoke.probes import Probe

ANSWER_SECONDS = 30.0


def send(
    connection: ReceiverConnection, probes: Sequence[Probe], while_waiting: Callable[[], object]
) -> dict[str, ReceivedAcknowledgement]:
    """Returns the acknowledgements by probe name. Calls `while_waiting` after each message."""
    answers = {}
    with connection:
        for probe in probes:
            answers[probe.name] = connection.send(probe.message)
            while_waiting()
    return answers
