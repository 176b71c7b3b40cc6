"""The real receiver as a process of its own, as its container runs it.

Its role belongs to the ingress stack, which a local run does not deploy: here it stores with the
developer's keys, so what its role may do is shown by the infra tests alone.
"""

import http
import http.client
import subprocess
import sys
import time
from pathlib import Path

from local.aws.clients import developer_environment
from local.aws.sockets import HOST
from local.stack.deploy import DeployedStack

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 20.0


class ReceiverError(Exception):
    """The receiver did not start; the text says where its log is."""


class ReceiverProcess:
    """A running `python -m receiver`."""

    def __init__(
        self, deployment: DeployedStack, mllp_port: int, health_port: int, log: Path
    ) -> None:
        self._health_port = health_port
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "receiver"],
                cwd=ROOT,
                env={
                    **developer_environment(deployment.aws_port),
                    "ENS_ENVIRONMENT": "local",
                    "ENS_VAULT_BUCKET": deployment.outputs["VaultBucket"],
                    "ENS_QUEUE_URL": deployment.outputs["QueueUrl"],
                    "ENS_REFERENCE_KEY_SECRET": deployment.outputs["ReferenceKeySecret"],
                    "ENS_CONFIGURATION_BUCKET": deployment.outputs["ConfigurationBucket"],
                    "ENS_CONFIGURATION_KEY": "configuration.json",
                    "ENS_UNKNOWN_SENDERS": "accept",
                    "ENS_MLLP_HOST": HOST,
                    "ENS_MLLP_PORT": str(mllp_port),
                    "ENS_HEALTH_PORT": str(health_port),
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for us: we stop it in its turn, and it finishes what is in flight.
                start_new_session=True,
            )

    def wait_until_live(self) -> None:
        """Returns once it serves. Raises `ReceiverError` when it does not."""
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            if self._is_live():
                return
            time.sleep(0.05)
        self.stop()
        raise ReceiverError(f"The receiver did not start; its log is {self.log}.")

    def _is_live(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self._health_port, timeout=1)
        try:
            connection.request("GET", "/live")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait(self) -> None:
        """Returns when the process has ended by itself."""
        self._process.wait()

    def stop(self) -> None:
        """Asks it to finish what is in flight, and ends it when that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
