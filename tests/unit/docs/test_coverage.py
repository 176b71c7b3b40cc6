"""The coverage that the README names is the one that `make coverage` holds."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_floor_is_one_point_below_the_figure_of_the_readme() -> None:
    named = re.search(
        r"cover (\d+) % of the lines and branches \(`make coverage`, which fails below (\d+) %\)",
        (ROOT / "README.md").read_text("utf-8"),
    )
    assert named
    report = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["coverage"][
        "report"
    ]
    assert (int(named[1]) - 1, int(named[2])) == (report["fail_under"], report["fail_under"])
