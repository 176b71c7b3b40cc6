import pytest

from lambdas.registry.npi import is_npi


@pytest.mark.parametrize("number", ["1234567893", "1888888884", "1666666668", "1777777776"])
def test_a_number_with_the_right_check_digit_is_an_npi(number: str) -> None:
    assert is_npi(number)


@pytest.mark.parametrize("digit", "012456789")
def test_any_other_check_digit_is_refused(digit: str) -> None:
    assert not is_npi("123456789" + digit)


@pytest.mark.parametrize(
    "text", ["", "123456789", "12345678933", "123456789X", "3234567891", "１２３４５６７８９３"]
)
def test_what_is_not_ten_ascii_digits_from_1_or_2_is_refused(text: str) -> None:
    assert not is_npi(text)
