"""Reads an environment and its senders from their TOML files, checked against the JSON Schemas."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from environments.environment import HOLDS_REAL_PATIENTS, Environment
from environments.errors import EnvironmentFileError, shown
from environments.policy import PolicyFile
from environments.schema import check
from environments.sender import Sender

FOLDER = Path(__file__).parent
MOVED = {
    "cache_days": "retention.analyses_days",
    "log_retention_days": "retention.logs_days",
    "vault_recovery_days": "retention.recovery_days",
    "vault_retention_days": "retention.vault_days",
    "people.vault_readers": "people.break_glass",
}
"""Keys of earlier versions, each with the key that has replaced it."""
VPC = "{vpc}"
"""In a sender's networks: the environment's VPC. It binds to nothing where there is none."""
DEFAULT_POLICY = "strict"
"""The policy of an environment without real patients whose file names none."""
T = TypeVar("T")


def names(folder: Path = FOLDER) -> tuple[str, ...]:
    """Returns the names of all environments: one TOML file each."""
    return tuple(sorted(file.stem for file in folder.glob("*.toml")))


@cache
def load(name: str, folder: Path = FOLDER) -> Environment:
    """Returns the environment of `<name>.toml` with the senders that it lists.

    Raises `EnvironmentFileError` for an unknown name, and for faults of the files, with all of a file.
    """
    if name not in names(folder):
        known = ", ".join(names(folder))
        raise EnvironmentFileError(
            f"environments/{name}.toml does not exist: choose one of {known} (-c env=dev)"
        )
    file = folder / f"{name}.toml"
    content = _read(file)
    _check_moved(file, content)
    check(file, content, "environment.schema.json")
    vpc = content.get("network", {}).get("cidr", "")
    senders = tuple(_listed(sender, name, vpc, file) for sender in content["senders"])
    policies = tuple(_policy(policy, file) for policy in _policy_names(name, content, file))
    values = {**content, "name": name, "senders": senders, "policies": policies}
    return _convert(file, values, Environment)


def _policy_names(name: str, content: dict[str, Any], file: Path) -> list[str]:
    """The policies that an environment's file lists. Raises `EnvironmentFileError` where it needs some."""
    if "policies" in content:
        listed: list[str] = content["policies"]
        return listed
    if name in HOLDS_REAL_PATIENTS or content.get("data_trail"):
        known = ", ".join(sorted(one.stem for one in (file.parent / "policies").glob("*.toml")))
        raise EnvironmentFileError(
            f"{shown(file)}: policies: missing; this environment holds real patients, so it needs the"
            f" rules about what recipients may be told (docs/privacy.md); allowed: {known}"
        )
    return [DEFAULT_POLICY]


def _policy(name: str, named_in: Path) -> PolicyFile:
    """The policy of `policies/<name>.toml`. Raises `EnvironmentFileError`, which names file, rule and key."""
    folder = named_in.parent / "policies"
    file = folder / f"{name}.toml"
    if not file.exists():
        known = ", ".join(sorted(one.stem for one in folder.glob("*.toml")))
        raise EnvironmentFileError(
            f"{shown(named_in)}: policies: policies/{name}.toml does not exist; allowed: {known}"
        )
    content = _read(file)
    try:
        check(file, content, "policy.schema.json")
        return _convert(file, {**content, "name": name}, PolicyFile)
    except EnvironmentFileError as error:
        raise EnvironmentFileError(_with_rule_ids(str(error), content)) from None


def _with_rule_ids(text: str, content: dict[str, Any]) -> str:
    """The error's lines, each with the id of the rule whose number it names: `rules[2].then: … (rule vip)`."""
    rules = content.get("rules")
    listed = rules if isinstance(rules, list) else []

    def named(line: str) -> str:
        number = re.search(r"\brules\[(\d+)\]", line)
        rule = listed[int(number[1])] if number and int(number[1]) < len(listed) else None
        rule_id = rule.get("id") if isinstance(rule, dict) else None
        return f"{line} (rule {rule_id})" if isinstance(rule_id, str) else line

    return "\n".join(map(named, text.splitlines()))


def _check_moved(file: Path, content: dict[str, Any]) -> None:
    """Raises `EnvironmentFileError` with one line for each key of an earlier version."""
    faults = []
    for old, new in MOVED.items():
        table, _, key = old.rpartition(".")
        place = content.get(table) if table else content
        if isinstance(place, dict) and key in place:
            faults.append(f"{shown(file)}: {old}: its name is now {new}; rename the key")
    if faults:
        raise EnvironmentFileError("\n".join(faults))


def _listed(name: str, environment: str, vpc: str, named_in: Path) -> Sender:
    """The sender that an environment's file lists."""
    found = load_sender(name, environment, named_in.parent, vpc=vpc)
    if found is None:
        known = ", ".join(sorted(f.stem for f in (named_in.parent / "senders").glob("*.toml")))
        raise EnvironmentFileError(
            f"{shown(named_in)}: senders: senders/{name}.toml does not exist; allowed: {known}"
        )
    return found


def load_sender(
    name: str, environment: str, folder: Path = FOLDER, *, vpc: str = ""
) -> Sender | None:
    """Returns the sender of `senders/<name>.toml`; None where there is no such file.

    `{environment}` in it is replaced by the environment's name, `{vpc}` by the network `vpc`. Raises
    `EnvironmentFileError` for faults of the file.
    """
    file = folder / "senders" / f"{name}.toml"
    if not file.exists():
        return None
    content = _read(file)
    if isinstance(content.get("networks"), list):
        written = (vpc if one == VPC else one for one in content["networks"])
        content["networks"] = [one for one in written if one]
    check(file, content, "sender.schema.json")
    facility = content["sending_facility"].replace("{environment}", environment.upper())
    return _convert(file, {**content, "name": name, "sending_facility": facility}, Sender)


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EnvironmentFileError(f"{shown(file)}: not a TOML file: {error}") from None


def _convert(file: Path, content: dict[str, Any], kind: type[T]) -> T:
    """The content as a dataclass. Raises `EnvironmentFileError` with the key that breaks one of its rules."""
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        text, _, key = str(error).partition(" - at `$.")
        where = f"{shown(file)}: {key.rstrip('`')}" if key else shown(file)
        raise EnvironmentFileError(f"{where}: {text}") from None
