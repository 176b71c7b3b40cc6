"""Which addresses are taken."""

import pytest

from lambdas.common.errors import ConfigurationError
from lambdas.delivery.mailer import from_address, is_address


@pytest.mark.parametrize(
    "address", ["john.smith@provider.example", "o'neil+ens@a-b.clinic.example", "1@2.example"]
)
def test_an_address_is_taken(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@b",
        "a..b@clinic.example",
        "two@a.example, three@b.example",
        "x@clinic.example\r\nBcc: all@evil.example",
        "x@clinic.example\n",
        "Petra <petra@clinic.example>",
        '"quoted"@clinic.example',
        "pétra@clinic.example",
        "a@-clinic.example",
        "a@[127.0.0.1]",
        "a" * 65 + "@clinic.example",
        "petra@" + "c" * 64 + ".example",
        "petra@" + "c.example" * 40,
    ],
)
def test_what_is_not_one_plain_address_is_not_taken(address: str) -> None:
    assert not is_address(address)


def test_the_sending_address_may_carry_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENS_SES_FROM", "Northtown <notifications@ens.example>")
    assert from_address() == "notifications@ens.example"
    monkeypatch.setenv("ENS_SES_FROM", "nonsense")
    with pytest.raises(ConfigurationError, match="ENS_SES_FROM is not a mail address"):
        from_address()
