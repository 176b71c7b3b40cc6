"""Names the fields of identifiers, for warnings, errors and audit entries. Pure."""

from collections import Counter
from collections.abc import Sequence

from lambdas.common.contracts.message.patient import PatientIdentifier


def positions_of(identifiers: Sequence[PatientIdentifier]) -> list[str]:
    """The field of each identifier: `PID-3`, or `PID-3[2]` among several of one field."""
    fields = [identifier.field for identifier in identifiers]
    repeated = {name for name, count in Counter(fields).items() if count > 1}
    seen: Counter[str] = Counter()
    positions = []
    for name in fields:
        seen[name] += 1
        positions.append(f"{name}[{seen[name]}]" if name in repeated else name)
    return positions


def listed(positions: Sequence[str]) -> str:
    """The positions in words: `PID-3, PID-5.1 and PID-7`."""
    if len(positions) == 1:
        return positions[0]
    return f"{', '.join(positions[:-1])} and {positions[-1]}"
