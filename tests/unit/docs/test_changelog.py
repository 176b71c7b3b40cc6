"""The changelog names each change once: merges may double a line without a conflict."""

from collections import Counter

from tests.conftest import ROOT


def test_each_change_has_one_line() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines()
    changes = Counter(line for line in lines if line)
    assert not [line for line, number in changes.items() if number > 1]
    # An entry that was extended on one branch alone is doubled with another end.
    begins = Counter(line[:100] for line in lines if len(line) > 100)
    assert not [line for line, number in begins.items() if number > 1]
    assert all(line.startswith(("#", "- ")) for line in lines[4:] if line)
