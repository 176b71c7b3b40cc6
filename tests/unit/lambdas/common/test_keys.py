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
