"""Addresses are valid as email-validator says, which is another implementation of RFC 5321."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lambdas.common.mail_address import is_address

pieces = st.sampled_from(
    [
        "a",
        "Z9",
        "o'neil",
        "+ens",
        ".",
        "..",
        "-",
        "--",
        "@",
        "@",
        "clinic",
        ".example",
        ".test",
        "é",
        " ",
        "\n",
        "\t",
        '"',
        "<",
        ">",
        ",",
        ";",
        "(",
        ")",
        "[",
        "]",
        "\\",
        "_",
        "xn",
        "1",
        "%",
        "a" * 32,
        "b" * 62,
        ".Local",
        ".invalid",
        ".9",
    ]
)
texts = st.lists(pieces, max_size=9).map("".join)
likely = st.tuples(texts, texts).map(lambda two: f"{two[0]}@clinic{two[1]}.example")


def is_valid(text: str) -> bool:
    """Whether email-validator takes an ASCII address; it asks no name server."""
    if not text.isascii() or len(text) > 254:
        return False
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        return False
    return True


@settings(max_examples=300)
@given(st.one_of(texts, likely, st.emails()).filter(lambda text: "xn--" not in text.lower()))
@example("john.smith@provider.example")
@example("o'neil+ens@a-b.clinic.example")
@example("1@2.example")
@example("a@ab--cd.example")
@example("a" * 64 + "@" + "b" * 63 + ".example")
@example("a" * 65 + "@clinic.example")
@example("petra@" + "c" * 64 + ".example")
@example("a@" + "c.example." * 30 + "example")
@example("x@clinic.example\n")
@example("a@[127.0.0.1]")
@example("a@10.0.0.1")
@example("a@x.arpa")
@example("")
@example("nobody")
@example("a@b")
@example("a..b@clinic.example")
@example("a@-clinic.example")
@example("petra@" + "c.example" * 40)
def test_the_rule_is_that_of_rfc_5321_as_another_implementation_reads_it(text: str) -> None:
    assert is_address(text) == is_valid(text)


@pytest.mark.parametrize(
    "text",
    [
        "two@a.example, three@b.example",
        "x@clinic.example\r\nBcc: all@evil.example",
        "Petra <petra@clinic.example>",
        '"quoted"@clinic.example',
        "pétra@clinic.example",
        "=?utf-8?q?petra?=@clinic.example",  # RFC 2047, 5: an encoded word is in no address
    ],
)
def test_no_second_address_name_or_header_is_in_an_address(text: str) -> None:
    assert not is_address(text)


@pytest.mark.parametrize("repeated", ["a.", "=?", "=?q?"])
def test_a_long_hostile_text_is_judged_at_once(repeated: str) -> None:
    assert not is_address(repeated * 500_000 + "@")
