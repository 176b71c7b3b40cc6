"""What a receiver answers: MSA's code, and the error it names (HL7 v2 chapter 2, MSA and ERR)."""

from dataclasses import dataclass, field

ACCEPTED = frozenset({"AA", "CA"})


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """An answer to one message: `code` is MSA-1 (AA, AE, AR, CA, CE, CR), `text` says why not."""

    code: str
    text: str = ""
    control_id: bytes = field(default=b"", repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the receiver took the message into its keeping."""
        return self.code in ACCEPTED


def read(answer: bytes) -> Acknowledgement:
    """The acknowledgement in an answer; its code is "" when the answer holds no MSA segment."""
    segments = [s for s in answer.replace(b"\n", b"\r").split(b"\r") if s]
    separator = segments[0][3:4] if segments and segments[0].startswith(b"MSH") else b"|"
    fields = {s[:3]: s.split(separator or b"|") for s in reversed(segments)}
    msa, err = fields.get(b"MSA", []), fields.get(b"ERR", [])
    if not msa:
        return Acknowledgement("", "the answer is not an HL7 acknowledgement")
    # ERR-3 is the HL7 error code, ERR-8 the text for the user, ERR-7 diagnostics; MSA-3 is the old way.
    code, position = " ".join(_at(err, 3).split("^")[:2]), _at(err, 2).replace("^", "-").strip("-")
    said = _at(err, 8) or _at(err, 7) or _at(msa, 3)
    where = ", ".join(part for part in (code, position) if part)
    text = f"{said} ({where})" if said and where else said or where
    return Acknowledgement(_at(msa, 1), text, msa[2] if len(msa) > 2 else b"")


def _at(fields: list[bytes], number: int) -> str:
    """A field as printable text: what a peer sends must not steer the terminal."""
    text = fields[number].decode("utf-8", "replace") if len(fields) > number else ""
    return "".join(c if c.isprintable() else "?" for c in text)
