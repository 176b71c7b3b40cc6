"""The functions of the deployment, each with a small pool of sandboxes, and who runs next."""

import queue
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

from local.functions import worker
from local.functions.sandbox import LambdaFunction, Sandbox, error_answer

POOL_SIZE = 2
"""Sandboxes of a function."""

PATIENCE = 3.0
"""Seconds to wait for a sandbox to become idle before another starts, which takes a second of CPU time."""


class Workers:
    """Runs functions by name; as many sandboxes of each as are asked for at once, up to `POOL_SIZE`."""

    def __init__(
        self, functions: Iterable[LambdaFunction], runtime: Path, cache: Path, logs: Path
    ) -> None:
        self._pools = {
            function.name: _Pool(
                function, runtime, cache, logs / f"{short_name(function.name)}.log"
            )
            for function in functions
        }

    def warm(self, without: Collection[str] = ()) -> None:
        """Starts one sandbox of each other function, all at the same time, and waits until they are ready."""
        starting = [
            (pool, pool.start()) for name, pool in self._pools.items() if name not in without
        ]
        for pool, sandbox in starting:
            pool.settle(sandbox)

    def invoke(self, function: str, payload: bytes) -> tuple[bytes, bool]:
        """The payload that Lambda would return, and whether it is an error's."""
        return self._pools[function].invoke(payload)

    def stop(self) -> None:
        """Ends every sandbox."""
        for pool in self._pools.values():
            pool.stop()


class _Pool:
    def __init__(self, function: LambdaFunction, runtime: Path, cache: Path, log: Path) -> None:
        self._function = function
        self._places = (runtime, cache, log)
        self._free = threading.Semaphore(POOL_SIZE)
        self._idle: queue.LifoQueue[Sandbox] = queue.LifoQueue()
        self._running: set[Sandbox] = set()
        self._stopped = False

    def start(self) -> Sandbox:
        sandbox = Sandbox(self._function, *self._places)
        self._running.add(sandbox)
        return sandbox

    def settle(self, sandbox: Sandbox) -> worker.Answer | None:
        """Waits for a started sandbox and keeps it; the error's payload when it did not come up."""
        error = sandbox.wait_until_ready()
        if error is None:
            self._idle.put(sandbox)
        else:
            self._drop(sandbox)
        return error

    def invoke(self, payload: bytes) -> tuple[bytes, bool]:
        with self._free:
            while True:
                try:
                    sandbox = self._idle.get(timeout=PATIENCE if self._running else 0.001)
                except queue.Empty:
                    # Another thread may take what settles here: then we start one more.
                    error = self.settle(self.start())
                    if error is not None:
                        return error_answer(error)
                    continue
                if sandbox.alive:
                    break
                self._drop(sandbox)
            answer = sandbox.invoke(payload)
            if sandbox.alive:
                self._idle.put(sandbox)
            else:
                self._drop(sandbox)
            return answer

    def stop(self) -> None:
        for sandbox in list(self._running):
            self._drop(sandbox)

    def _drop(self, sandbox: Sandbox) -> None:
        sandbox.stop()
        self._running.discard(sandbox)


def short_name(function: str) -> str:
    """`ParseMessage` of `hl7-ens-local-ParseMessage`."""
    return function.rpartition("-")[2]
