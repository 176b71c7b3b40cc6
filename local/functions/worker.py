"""One sandbox of a function, run by local/functions/workers.py as `python -I -S worker.py …`.

Imports the standard library, and the changes to botocore that make its calls to this machine faster.
Reads one invocation a line from stdin, writes one answer a line to the file descriptor named on the
command line; stdout and stderr are the function's log. Answers and errors have Lambda's shapes.
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

Answer = dict[str, Any]


def main(asset: str, runtime: str, handler_name: str, answers_fd: int) -> None:
    """Serves invocations until stdin ends."""
    # Nothing that is loaded becomes garbage: traversing it would be a fifth of the time to load it.
    gc.disable()
    # As in Lambda: the function's own code and requirements first, what the runtime brings last.
    sys.path.insert(0, asset)
    sys.path.append(runtime)
    hasten()
    with os.fdopen(answers_fd, "w", encoding="utf-8") as answers:
        handler = load(handler_name, answers)
        for line in sys.stdin:
            say(answers, invoke(handler, json.loads(line)))


def hasten() -> None:
    """Changes the runtime's botocore by local/patches/botocore; the function sees no module of `local`."""
    root = str(Path(__file__).resolve().parents[2])
    sys.path.insert(0, root)
    try:
        importlib.import_module("local.patches.botocore").install_for_loopback()
    finally:
        sys.path.remove(root)
        for name in [name for name in sys.modules if name.partition(".")[0] == "local"]:
            del sys.modules[name]


def load(handler_name: str, answers: Any) -> Any:
    """The handler function, after saying that it is ready; ends the process when it cannot be loaded."""
    module_name, _, function = handler_name.rpartition(".")
    try:
        handler = getattr(importlib.import_module(module_name), function)
    except ImportError as error:
        text = f"Unable to import module '{module_name}': {error}"
        say(answers, {"init_error": logged(failure("Runtime.ImportModuleError", text, []))})
        sys.exit(1)
    except Exception as error:
        say(answers, {"init_error": logged(of_exception(error))})
        sys.exit(1)
    # Loaded objects stay: without this, each full collection traverses them.
    gc.freeze()
    gc.enable()
    say(answers, {"ready": True})
    return handler


def invoke(handler: Any, invocation: dict[str, Any]) -> Answer:
    """The handler's result under `result`, or its exception under `error`."""
    deadline = time.monotonic() + invocation["timeout"]
    context = SimpleNamespace(
        **invocation["context"],
        get_remaining_time_in_millis=lambda: max(0, int((deadline - time.monotonic()) * 1000)),
    )
    try:
        result = handler(invocation["event"], context)
    except Exception as error:
        return {"error": logged(of_exception(error))}
    try:
        return {"result": json.dumps(result)}
    except (TypeError, ValueError) as error:
        text = f"Unable to marshal response: {error}"
        return {"error": logged(failure("Runtime.MarshalError", text, []))}
    finally:
        sys.stdout.flush()


def of_exception(error: Exception) -> Answer:
    """An exception as Lambda's Python runtime reports it."""
    stack = traceback.format_list(traceback.extract_tb(error.__traceback__))
    return failure(type(error).__name__, str(error), stack)


def failure(error_type: str, message: str, stack: list[str]) -> Answer:
    """The payload of an invocation that ended in an error."""
    return {"errorMessage": message, "errorType": error_type, "stackTrace": stack}


def logged(error: Answer) -> Answer:
    """The error, after it was written to the log as Lambda writes it: its text and its stack too."""
    stack = "".join(error["stackTrace"])
    print(f"[ERROR] {error['errorType']}: {error['errorMessage']}\n{stack}", flush=True)
    return error


def say(answers: Any, answer: Answer) -> None:
    """Writes one answer."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
