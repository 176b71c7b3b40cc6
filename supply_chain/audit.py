"""Checks each lock file against PyPI's database of known vulnerabilities, with pip-audit.

pip-audit ends with 1 both for a vulnerability and for a database it cannot reach, and with 0 when the
database has no record of a package. Its JSON tells these apart (https://github.com/pypa/pip-audit#usage).
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from supply_chain import locks, tools

TIMEOUT_SECONDS = 240
"""Seconds for one lock file; the largest names 122 packages, one request each."""
REQUEST_TIMEOUT_SECONDS = 10
"""Seconds for one answer of the database."""

ACCEPTED: Mapping[str, str] = {}
"""Accepted vulnerabilities: id -> why the project is not affected, and when to remove the entry."""

UNREACHABLE = (
    "Could not connect",
    "ConnectionError",
    "Connection refused",
    "Max retries exceeded",
    "timed out",
)


class AuditError(Exception):
    """Raised when pip-audit fails for another reason than the network, for example an unreadable lock file."""


@dataclass(frozen=True)
class AuditResult:
    """One lock file's result. `found` holds one line for each vulnerability."""

    looked_up: int = 0
    without_record: int = 0
    found: tuple[str, ...] = ()
    unreachable: str = ""


def audit(lock: Path, cache: Path) -> AuditResult:
    """Audits one lock file. Raises `AuditError` when pip-audit cannot read it."""
    words = [
        *(tools.command("pip-audit"), "--requirement", str(lock), "--require-hashes"),
        *("--disable-pip", "--progress-spinner", "off", "--format", "json"),
        *("--timeout", str(REQUEST_TIMEOUT_SECONDS), "--cache-dir", str(cache)),
        *(word for one in ACCEPTED for word in ("--ignore-vuln", one)),
    ]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return AuditResult(unreachable=f"it did not answer within {TIMEOUT_SECONDS} seconds")
    return read(done.stdout, done.stderr)


def read(output: str, errors: str) -> AuditResult:
    """The result from pip-audit's JSON, or the network error. Raises `AuditError` for other failures."""
    try:
        dependencies = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["pip-audit printed no reason"])[-1]
        if any(sign in errors for sign in UNREACHABLE):
            return AuditResult(unreachable=last)
        raise AuditError(last) from None
    skipped = [one for one in dependencies if "skip_reason" in one]
    if dependencies and len(skipped) == len(dependencies):
        return AuditResult(unreachable="it has a record of none of the packages")
    found = tuple(
        f"{one['name']} {one['version']}: {fault['id']}, fixed in"
        f" {', '.join(fault['fix_versions']) or 'no version yet'}"
        for one in dependencies
        for fault in one.get("vulns", ())
    )
    return AuditResult(len(dependencies) - len(skipped), len(skipped), found)


def audit_all(root: Path, cache: Path) -> tuple[list[str], bool]:
    """Returns lines to print, and whether no vulnerability was found. Stops when the database is unreachable."""
    lines, clean = [], True
    for lock in locks.python_locks(root):
        name = lock.relative_to(root)
        report = audit(lock, cache)
        if report.unreachable:
            lines.append(
                f"{name}: NOT AUDITED: the vulnerability database could not be used:"
                f" {report.unreachable}. The lock files after it were not audited either."
            )
            return lines, clean
        record = f", {report.without_record} without a record" if report.without_record else ""
        lines.append(
            f"{name}: {report.looked_up} packages looked up{record},"
            f" {len(report.found)} vulnerabilities"
        )
        lines += [f"    {line}" for line in report.found]
        clean = clean and not report.found
    return lines, clean
