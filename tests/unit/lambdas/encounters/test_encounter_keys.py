"""Numbers are found again: after a rotation of the key, in any order, and never across senders."""

from lambdas.common.keys import KeyRing
from lambdas.encounters.keys import EncounterKeys, references

OLD = KeyRing("k1", {"k1": b"first"})
NEW = KeyRing("k2", {"k1": b"first", "k2": b"second"})


def test_a_rotation_of_the_key_leaves_old_references_findable() -> None:
    value = [("NORTHGEN", "0042")]
    (before,) = references(OLD, "visit", value)
    after = references(NEW, "visit", value)
    assert before in after
    assert after[0] == f"visit#{NEW.reference('visit', 'NORTHGEN', '0042')}"


def test_only_references_under_the_current_key_are_written() -> None:
    keys = EncounterKeys(key_id="k2", visit=references(NEW, "visit", [("N", "1"), ("N", "2")]))
    assert keys.written("visit") == keys.visit[:2]


def test_leading_zeros_and_senders_are_significant() -> None:
    values = [("NORTHGEN", "42"), ("NORTHGEN", "042"), ("STMARY", "42")]
    assert len(set(references(OLD, "visit", values))) == 3
