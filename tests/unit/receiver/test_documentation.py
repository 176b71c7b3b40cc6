"""docs/receiver.md names every setting with the default that the code has."""

import re
from dataclasses import fields

from receiver.settings import ReceiverSettings
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "receiver.md").read_text("utf-8")
SOURCE = (ROOT / "receiver" / "settings.py").read_text("utf-8")


def test_every_setting_is_documented_and_no_other() -> None:
    read = set(re.findall(r'"(ENS_[A-Z_]+)"', SOURCE))
    table = PAGE.split("## Settings", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"`(ENS_[A-Z_]+)`", table)) == read


def test_every_number_is_the_one_in_the_code() -> None:
    defaults = {f"ENS_{f.name.upper()}": f.default for f in fields(ReceiverSettings)}
    rows = re.findall(r"^\| `(ENS_[A-Z_]+)` \| ([\d.]+) \|", PAGE, re.MULTILINE)
    assert len(rows) > 12
    assert {name: float(value) for name, value in rows} == {
        name: float(str(defaults[name])) for name, _ in rows
    }
