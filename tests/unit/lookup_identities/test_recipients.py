from lambdas.common.models import Considered, Name, Recipient
from lambdas.lookup_identities.naming import Named
from lambdas.lookup_identities.recipients import choose
from lambdas.lookup_identities.records import REASONS, Provider, Relationship

ADDRESS = "petra@clinic.example"


def provider(provider_id: str = "dr-l", address: str = ADDRESS, active: bool = True) -> Provider:
    return Provider(provider_id, Name("Lindqvist", "Petra"), "", address, active)


def related(provider_id: str = "dr-l", *kinds: str, active: bool = True) -> Relationship:
    return Relationship(provider_id, kinds or ("primary_care",), active)


def chosen(
    relationships: list[Relationship], providers: list[Provider], named: list[Named] | None = None
) -> tuple[tuple[Recipient, ...], tuple[Considered, ...]]:
    by_id = {known.provider_id: known for known in providers}
    return choose(relationships, by_id, named or [], lambda provider_id: f"ref-{provider_id}")


def test_an_active_relationship_with_an_active_provider_who_has_an_address_makes_a_recipient() -> (
    None
):
    recipients, considered = chosen([related()], [provider()])
    assert recipients == (
        Recipient(
            "ref-dr-l", ("primary_care",), "email", "dr-l", Name("Lindqvist", "Petra"), ADDRESS
        ),
    )
    assert not considered


def test_one_person_in_two_roles_is_told_once_with_both_reasons() -> None:
    named = [Named("dr-l", "attending"), Named("dr-l", "primary_care")]
    recipients, _ = chosen([related("dr-l", "subscriber", "primary_care")], [provider()], named)
    assert [told.reasons for told in recipients] == [("primary_care", "subscriber", "attending")]


def test_a_provider_named_in_the_message_alone_is_considered_and_not_told() -> None:
    recipients, considered = chosen(
        [], [], [Named("dr-x", "attending"), Named("dr-x", "admitting")]
    )
    assert not recipients
    assert considered == (Considered("ref-dr-x", "attending", "NO_RECIPIENT"),)


def test_each_refusal_has_its_reason() -> None:
    relationships = [
        related("a", active=False),
        related("b"),
        related("c"),
        related("d"),
        related("e"),
    ]
    providers = [
        provider("a"),
        provider("b", active=False),
        provider("c", address=""),
        provider("d", address="call the front desk"),
    ]
    recipients, considered = chosen(relationships, providers)
    assert not recipients
    assert [(refused.recipient_ref, refused.reason) for refused in considered] == [
        ("ref-a", "RECIPIENT_OFF"),
        ("ref-b", "RECIPIENT_OFF"),
        ("ref-c", "NO_ENDPOINT"),
        ("ref-d", "ENDPOINT_BAD"),
        ("ref-e", "NO_ENDPOINT"),
    ]


def test_two_addresses_in_one_cell_are_not_an_address() -> None:
    for text in (
        "a@b.example, c@d.example",
        "Petra <a@b.example>",
        "a@b.example\nBcc: c@d.example",
    ):
        assert not chosen([related()], [provider(address=text)])[0]


def test_a_relationship_that_is_not_on_the_list_still_tells_and_says_care_team() -> None:
    recipients, _ = chosen([related("dr-l", "her own words")], [provider()])
    assert recipients[0].reasons == ("care_team",)
    assert set(recipients[0].reasons) <= set(REASONS)


def test_the_order_is_the_same_whatever_the_registry_answers_first() -> None:
    providers = [provider("b"), provider("a")]
    forwards, _ = chosen([related("a"), related("b")], providers)
    backwards, _ = chosen([related("b"), related("a")], providers)
    assert forwards == backwards
