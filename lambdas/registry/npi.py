"""The check digit of a National Provider Identifier."""

PREFIX = "80840"
"""The issuer prefix (80: health, 840: United States) that the check digit also covers (45 CFR 162.406)."""

NPI_UNIVERSAL_ID = "2.16.840.1.113883.4.6"


def is_npi(text: str) -> bool:
    """Whether a text is ten digits, begins with 1 or 2, and its Luhn digit over 80840 + number is right."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()) or text[0] not in "12":
        return False
    return _luhn(PREFIX + text) % 10 == 0


def _luhn(digits: str) -> int:
    doubled = (int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled)
