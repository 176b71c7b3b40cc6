"""The texts of findings, of the receiver's reasons and of warnings, from advice.toml."""

import tomllib
from pathlib import Path

import msgspec

from hl7.warnings import WarningCode
from ops.feed.report.finding import FindingText

_CONTENT = tomllib.loads(Path(__file__).with_name("advice.toml").read_text("utf-8"))
_TEXTS = msgspec.convert(_CONTENT, dict[str, dict[str, FindingText]])

FINDINGS, CODES, DOUBTS = _TEXTS["findings"], _TEXTS["codes"], _TEXTS["doubts"]
REJECTIONS = _TEXTS["rejections"]
"""By reason of the receiver: the severity, the request, and our part."""

WARNINGS = {WarningCode(code): text for code, text in _TEXTS["warnings"].items()}
"""By kind of warning. Other kinds are in the table of warnings alone."""
