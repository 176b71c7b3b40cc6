"""Which addresses are taken, and how senders are configured."""

import pytest

from lambdas.common.errors import ConfigurationError
from lambdas.common.senders import Sender, sender_named
from lambdas.deliver_notification.mailer import from_address, is_address
from tests.conftest import clear_caches


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


@pytest.mark.usefixtures("environment")
def test_a_sender_has_a_name_and_a_zone_for_the_reader() -> None:
    clear_caches()
    northgen = sender_named("northgen")
    assert northgen.display_name == "Northtown General"
    assert northgen.zone is not None
    assert northgen.zone.key == "America/Halifax"
    assert sender_named("aws-blog") == sender_named("unknown") == Sender()


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("senders", ["{", "[1]", '[{"time_zone":"UTC"}]', "1"])
def test_senders_that_are_not_a_list_of_senders_are_a_matter_of_configuration(
    senders: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clear_caches()
    monkeypatch.setenv("ENS_SENDERS", senders)
    with pytest.raises(ConfigurationError, match="ENS_SENDERS"):
        sender_named("x")


@pytest.mark.usefixtures("environment")
def test_a_zone_that_the_machine_does_not_know_does_not_stop_a_notification(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clear_caches()
    monkeypatch.setenv(
        "ENS_SENDERS", '[{"name":"x","time_zone":"Mars/Olympus","display_name":"X"}]'
    )
    assert sender_named("x") == Sender("X", None)
