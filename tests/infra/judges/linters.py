"""cfn-lint and checkov over the templates of a folder: what they find, and what is accepted in them."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supply_chain import locked
from tests.infra.judges.tools import HOME, PYTHON, REQUIREMENTS

EMPTY = {"HOME": str(HOME), "PATH": "/usr/bin:/bin"}


@dataclass(frozen=True, slots=True, order=True)
class LinterFinding:
    """A rule's finding about a resource (by logical id) of a stack."""

    rule: str
    stack: str
    resource: str
    text: str


@dataclass(frozen=True, slots=True)
class LinterReport:
    """A linter's findings in all templates: open ones, and those accepted in a template."""

    open: list[LinterFinding]
    accepted: list[LinterFinding]


def cfn_lint(folder: Path) -> list[LinterFinding]:
    """The open findings of all rules, the informational and the experimental included."""
    command = [
        str(locked.interpreter(Path(sys.prefix)).with_name("cfn-lint")),
        *("--include-checks", "I", "--include-experimental", "--format", "json"),
        *(path.name for path in templates(folder)),
    ]
    return sorted(
        LinterFinding(
            found["Rule"]["Id"],
            _stack(found["Filename"]),
            str((found["Location"].get("Path") or ["", ""])[1]),
            found["Message"],
        )
        for found in _printed(command, folder, HOME.parents[1] / "requirements.txt")
    )


def checkov(folder: Path) -> LinterReport:
    """The findings of checkov's CloudFormation rules.

    `--skip-download` and an empty environment keep it from its platform: it needs no network.
    """
    python = locked.interpreter(PYTHON)
    command = [
        *(str(python), str(python.with_name("checkov"))),
        *("--framework", "cloudformation", "--directory", "."),
        *("--skip-download", "--compact", "--output", "json"),
    ]
    results = _printed(command, folder, REQUIREMENTS, EMPTY)["results"]
    if results["parsing_errors"]:
        raise ValueError(f"checkov cannot read {results['parsing_errors']}")
    return LinterReport(
        open=sorted(_of_checkov(found) for found in results["failed_checks"]),
        accepted=sorted(_of_checkov(found) for found in results["skipped_checks"]),
    )


def _printed(
    command: list[str], folder: Path, lock: Path, environment: dict[str, str] | None = None
) -> Any:
    """The JSON that a linter prints about the templates of a folder.

    It is kept for as long as lock file, command and templates are the same: each run takes 20 s.
    """
    asked = hashlib.sha256(lock.read_bytes() + repr(command).encode())
    for path in templates(folder):
        asked.update(path.name.encode() + path.read_bytes())
    kept = HOME / "printed" / f"{asked.hexdigest()}.json"
    if not kept.exists():
        # A linter ends with a code of its own for each kind of finding, and prints nothing but JSON.
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        json.loads(done.stdout)
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout, "utf-8")
    return json.loads(kept.read_text("utf-8"))


def accepted_in_templates(folder: Path) -> Iterator[LinterFinding]:
    """Each acceptance in a template's metadata, with its reason as the text (infra/accepted_findings.py)."""
    for path in templates(folder):
        template = json.loads(path.read_text())
        # cfn-lint also reads the template's own metadata, for outputs.
        for logical_id, part in {"": template, **template["Resources"]}.items():
            metadata = part.get("Metadata", {})
            reasons = dict(metadata.get("cfn-lint-reasons", {}))
            for rule in metadata.get("cfn-lint", {}).get("config", {}).get("ignore_checks", []):
                yield LinterFinding(rule, _stack(path), logical_id, reasons.get(rule, ""))
            for skip in metadata.get("checkov", {}).get("skip", []):
                yield LinterFinding(skip["id"], _stack(path), logical_id, skip.get("comment", ""))


def _of_checkov(found: dict[str, Any]) -> LinterFinding:
    return LinterFinding(
        found["check_id"],
        _stack(found["file_path"]),
        found["resource"].rsplit(".", 1)[-1],
        found["check_name"],
    )


def templates(folder: Path) -> list[Path]:
    """The templates of a cloud assembly."""
    return sorted(folder.glob("*.template.json"))


def _stack(path: str | Path) -> str:
    return Path(path).name.removesuffix(".template.json")
