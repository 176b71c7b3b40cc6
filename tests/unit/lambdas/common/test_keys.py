"""Key rings: what a secret must look like, and the references it makes."""

import pytest

from lambdas.common.errors import ConfigurationError
from lambdas.common.keys import KeyRing

RING = KeyRing.from_secret('{"current": "k2", "k1": "old", "k2": "new"}')


def test_a_reference_is_stable_and_carries_its_keys_id() -> None:
    reference = RING.reference("patient", "NORTHGEN", "H00412")
    assert reference == RING.reference("patient", "NORTHGEN", "H00412")
    key_id, _, digits = reference.partition(".")
    assert key_id == "k2"
    assert len(digits) == 32
    assert "H00412" not in reference


def test_no_two_lists_of_parts_make_the_same_reference() -> None:
    made = {
        RING.reference("patient", "a", "b"),
        RING.reference("patient", "ab"),
        RING.reference("patient", "a", "b", ""),
        RING.reference("patient", 'a","b'),
        RING.reference("recipient", "a", "b"),
    }
    assert len(made) == 5


def test_what_an_older_key_made_stays_verifiable() -> None:
    old = KeyRing.from_secret('{"current": "k1", "k1": "old"}')
    assert RING.mac(b"entry", "k1") == old.mac(b"entry")
    assert RING.mac(b"entry") != old.mac(b"entry")


def test_a_ring_never_shows_its_keys() -> None:
    assert "new" not in repr(RING)
    assert "old" not in repr(RING)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "secret-text",
        "[]",
        '"k1"',
        '{"k1": "x"}',
        '{"current": "k1"}',
        '{"current": "k1", "k1": 7}',
    ],
)
def test_a_secret_of_another_shape_is_a_matter_of_configuration(secret: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        KeyRing.from_secret(secret)
    assert "secret-text" not in str(refused.value)


def test_a_value_is_looked_up_under_the_current_key_and_then_from_new_to_old() -> None:
    many = KeyRing("k5", {f"k{number}": b"%d" % number for number in range(1, 7)})
    tried = many.references("address", "a@clinic.example")
    assert [one.partition(".")[0] for one in tried] == ["k5", "k6", "k4", "k3"]
    assert tried[0] == many.reference("address", "a@clinic.example")
    assert many.under(["k9", "k2", "k1"]).current == "k2"
    assert many.under(["k9"]).current == "k5"


@pytest.mark.parametrize("other", ["", "k1", "k9.00", "k1.é", "k2." + "0" * 32])
def test_a_reference_is_known_under_any_key_of_the_ring_and_no_other_text_is(other: str) -> None:
    old = RING.reference("patient", "H00412", key_id="k1")
    assert RING.is_reference(old, "patient", "H00412")
    assert not RING.is_reference(old, "recipient", "H00412")
    assert not RING.is_reference(other, "patient", "H00412")
