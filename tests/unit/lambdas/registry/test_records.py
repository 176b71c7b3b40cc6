"""A relationship with a patient of several records."""

from lambdas.common.contracts.recipients.recipient import RelationshipType
from lambdas.registry.records import Relationship

DOCTOR = Relationship("p", (RelationshipType.PRIMARY_CARE,))
EXPIRED = Relationship("p", roster_until="2026-01-31")


def test_an_expired_roster_of_the_survivor_hides_no_relationship_with_the_merged_record() -> None:
    joined = EXPIRED.joined(DOCTOR)
    assert joined.current("2026-11-27") == ("primary_care",)
    assert joined.roster_until == "2026-01-31"


def test_a_relationship_that_ended_for_the_survivor_has_ended() -> None:
    ended = Relationship("p", (RelationshipType.CARE_TEAM,), active=False)
    assert ended.joined(DOCTOR).current("2026-11-27") == ()
