"""Invented messages of the sizes that are measured. `@` and `#` runs are filled in by the generator."""

from pathlib import Path

SIZES = {"0.5 kB": 500, "2.5 kB": 2500, "60 kB": 60_000}

_HEAD = "\r".join(
    (
        "MSH|^~\\&|ADTSYS|NORTHGEN|NOTIFY|REGION_HUB|20261123091502-0400||ADT^A01^ADT_A01|"
        + "@" * 16
        + "|P|2.5.1",
        "EVN|A01|20261123091500-0400",
        "PID|1||" + "#" * 8 + "^^^NORTHGEN^MR||Okafor^Amara^N^^^^L||19580214|F|||14 Mill Lane"
        "^^Northtown^NS^B3H 0A1^CAN||^PRN^PH^^1^902^0550199",
        "PV1|1|I|4W^412^B|E|||1777777776^Barros^Ines^^^Dr|1666666668^Chen^Wei^^^Dr||||||||||V||V884213",
        "",
    )
)
_LINE = "OBX|{}|TX|10164-2^History of present illness^LN||{}||||||F\r"
_TEXT = (
    "Known type 2 diabetes and atrial fibrillation. Denies fever. No evidence of pulmonary embolism. "
    "Takes metformin 500 mg twice daily. Aspirin 300 mg given in the ambulance."
)


def message(size: int) -> bytes:
    """An admission of about that many bytes; beyond its four first segments it is observations."""
    lines = [_HEAD]
    length, number = len(_HEAD), 1
    while length < size:
        room = size - length - len(_LINE.format(number, ""))
        if room < 1:
            break
        lines.append(_LINE.format(number, _TEXT[:room]))
        length += len(lines[-1])
        number += 1
    return "".join(lines).encode()


def write_all(folder: Path) -> dict[str, Path]:
    """The files of all sizes, by the size's name."""
    files = {}
    for name, size in SIZES.items():
        files[name] = folder / f"message-{size}.hl7"
        files[name].write_bytes(message(size))
    return files
