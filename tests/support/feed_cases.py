"""Feed cases: messages as hospital systems send them, each with the conditions that its outcome must meet.

The cases are not part of the project. They are read from `../shared/cases/feeds`, beside the checkout,
whose README defines the conditions.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import ROOT

FOLDER = ROOT.parent / "shared" / "cases" / "feeds"
Condition = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MessageOutcome:
    """One message's outcome: its event's status and error, mails (subject and text), event.json, trace."""

    status: str
    error: str = ""
    mails: tuple[str, ...] = ()
    event: Any = None
    trace: str = ""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The outcome of a whole case: the answers to each file, and the outcome of each stored message."""

    answers: list[list[str]]
    outcomes: list[MessageOutcome]


@dataclass(frozen=True, slots=True)
class Case:
    """A case's name, kind, files in order, and expected conditions."""

    name: str
    kind: str
    files: list[Path]
    expect: Condition

    def faults(self, result: CaseResult) -> list[str]:
        """The conditions that the result does not meet; empty when the case is met."""
        return _faults(self.expect, result)


def cases(folder: Path = FOLDER) -> list[Case]:
    """All cases of the folder, by name; none where the folder is absent."""
    return [_case(file) for file in sorted(folder.glob("*/case.json"))]


def _case(file: Path) -> Case:
    content = json.loads(file.read_text("utf-8"))
    files = [file.parent / name for name in content["send"]]
    return Case(file.parent.name, content["kind"], files, content["expect"])


def _faults(expect: Condition, result: CaseResult) -> list[str]:
    faults = []
    if "any" in expect:
        # Without a condition of its own on the answers, an alternative takes the default: all accepted.
        tried = [_faults({**_without(expect), **one}, result) for one in expect["any"]]
        return [] if not all(tried) else [" | ".join("; ".join(one) for one in tried)]
    if fault := _answers(expect.get("ack"), result.answers):
        return [fault]
    if expect.get("ack") == "refused":
        return []
    for name in ("status", "mails"):
        if name in expect:
            faults += _per_message(name, expect[name], result, expect.get("message"))
    if not result.outcomes:
        return [*faults, "no message was stored"]
    chosen = result.outcomes[expect["message"] - 1 if "message" in expect else -1]
    return faults + _of_message(expect, chosen)


def _without(expect: Condition) -> Condition:
    return {name: value for name, value in expect.items() if name != "any"}


def _answers(expected: str | None, answers: list[list[str]]) -> str:
    if expected is None:
        met = all(one == ["accepted"] for one in answers)
    elif expected == "refused":
        met = all(one and set(one) == {"refused"} for one in answers)
    else:
        met = [word for one in answers for word in one] == expected.split()
    return "" if met else f"ack: {answers}"


def _per_message(name: str, expected: Any, result: CaseResult, message: int | None) -> list[str]:
    outcomes = result.outcomes
    if isinstance(expected, list):
        if len(outcomes) != len(expected):
            return [f"{name}: {len(outcomes)} messages"]
        pairs = list(zip(expected, outcomes, strict=True))
    else:
        pairs = [
            (expected, one) for one in [outcomes[(message or 0) - 1] if outcomes else None] if one
        ]
    return [
        f"{name}: {_seen(name, one)}, not {wanted}"
        for wanted, one in pairs
        if not _holds(name, wanted, one)
    ]


def _seen(name: str, outcome: MessageOutcome) -> str:
    return f"{len(outcome.mails)}" if name == "mails" else f"{outcome.status} {outcome.error}"


def _holds(name: str, wanted: Any, outcome: MessageOutcome) -> bool:
    if name == "status":
        return bool(outcome.status == wanted)
    if isinstance(wanted, str):
        return len(outcome.mails) >= int(wanted.removeprefix(">="))
    return len(outcome.mails) == int(wanted)


def _of_message(expect: Condition, outcome: MessageOutcome) -> list[str]:
    mail = outcome.mails[-1] if outcome.mails else ""
    texts = "\n".join(_texts(outcome.event))
    faults = []
    if "error" in expect and not _found(expect["error"], outcome.error):
        faults.append(f"error: {outcome.error}")
    for name, text in (("mail", mail), ("event", texts), ("trace", outcome.trace)):
        for pattern in expect.get(f"{name}_has", ()):
            if not _found(pattern, text):
                faults.append(f"{name}_has: {pattern}")
        for pattern in expect.get(f"{name}_lacks", ()):
            if _found(pattern, text):
                faults.append(f"{name}_lacks: {pattern}")
    for path, pattern in expect.get("event", {}).items():
        if not _found(pattern, _at(outcome.event, path)):
            faults.append(f"event: {path}")
    for path, pattern in expect.get("event_not", {}).items():
        if _found(pattern, _at(outcome.event, path)):
            faults.append(f"event_not: {path}")
    if "event_with" in expect and not _has_object(outcome.event, expect["event_with"]):
        faults.append("event_with")
    return faults


def _found(pattern: str, text: str) -> bool:
    return re.search(pattern.replace(" ", r"\s+"), text, re.MULTILINE) is not None


def _texts(value: Any) -> list[str]:
    """All texts of a document, in document order."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _at(event: Any, paths: str) -> str:
    for path in paths.split("|"):
        value = event
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return ""


def _has_object(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(_has_object(one, wanted) for one in value)
    if not isinstance(value, dict):
        return False
    values = list(value.values())
    listed = wanted.values() if isinstance(wanted, dict) else wanted
    return all(one in values for one in listed) or any(_has_object(one, wanted) for one in values)
