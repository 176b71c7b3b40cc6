"""The sending address."""

import pytest

from lambdas.common.errors import ConfigurationError
from lambdas.delivery.mail.mailer import from_address


def test_the_sending_address_may_carry_a_name() -> None:
    assert from_address("Northtown <notifications@ens.example>") == "notifications@ens.example"
    with pytest.raises(ConfigurationError, match="ENS_SES_FROM is not a mail address"):
        from_address("nonsense")
