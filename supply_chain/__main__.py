"""`python -m supply_chain sbom` writes the bills of materials, `audit` looks for known vulnerabilities."""

import sys

from supply_chain import audit, sbom, tools


def main(command: str) -> int:
    """Returns the exit status: 1 for a vulnerability or a failed tool, 2 for an unknown command."""
    if command not in ("sbom", "audit"):
        return _say("Say which: sbom or audit", 2)
    problem = tools.install()
    if problem:
        return _say(f"{command}: NOT DONE: {problem}", 1)
    try:
        if command == "sbom":
            return _say("\n".join(sbom.write_all(tools.ROOT, tools.HOME / "sbom")), 0)
        lines, clean = audit.audit_all(tools.ROOT, tools.HOME / "cache")
        return _say("\n".join(lines), 0 if clean else 1)
    except (sbom.SbomError, audit.AuditError) as error:
        return _say(f"{command}: {error}", 1)


def _say(text: str, status: int) -> int:
    sys.stdout.write(f"{text}\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
