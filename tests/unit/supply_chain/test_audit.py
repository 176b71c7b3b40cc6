"""pip-audit's answers, as it prints them: what counts as clean, as found and as not audited."""

import json

import pytest

from supply_chain.audit import AuditError, AuditResult, read

# The shape that pip-audit 2.10.1 writes (pip_audit/_format/json.py); the values are examples.
FOUND = json.dumps(
    {
        "dependencies": [
            {
                "name": "flask",
                "version": "0.5",
                "vulns": [
                    {
                        "id": "PYSEC-2019-179",
                        "fix_versions": ["1.0"],
                        "aliases": ["CVE-2019-1010083"],
                        "description": "Denial of service.",
                    }
                ],
            },
            {"name": "jinja2", "version": "3.0.2", "vulns": []},
        ],
        "fixes": [],
    }
)
UNKNOWN = {"name": "six", "skip_reason": "Dependency not found on PyPI and could not be audited"}


def test_a_vulnerability_is_named_with_the_version_that_mends_it() -> None:
    assert read(FOUND, "") == AuditResult(2, 0, ("flask 0.5: PYSEC-2019-179, fixed in 1.0",))


def test_a_database_without_a_record_of_any_package_has_not_audited_them() -> None:
    report = read(json.dumps({"dependencies": [UNKNOWN, UNKNOWN], "fixes": []}), "")
    assert report.unreachable
    assert not report.looked_up


def test_packages_without_a_record_are_counted() -> None:
    known = {"name": "jinja2", "version": "3.1.6", "vulns": []}
    report = read(json.dumps({"dependencies": [known, UNKNOWN], "fixes": []}), "")
    assert report == AuditResult(looked_up=1, without_record=1)


@pytest.mark.parametrize(
    "errors",
    [
        "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed",
        "requests.exceptions.ConnectionError: HTTPSConnectionPool: Max retries exceeded with url",
    ],
)
def test_a_database_that_cannot_be_reached_is_no_vulnerability(errors: str) -> None:
    assert read("", errors).unreachable == errors


def test_a_lock_file_that_cannot_be_read_fails() -> None:
    with pytest.raises(AuditError, match="requirement"):
        read("", "ERROR:pip_audit._cli:requirement six is not pinned")
