import pytest

from lambdas.lookup_identities.matching.demographics import (
    birth_dates_agree,
    sexes_agree,
    surnames_agree,
    surnames_share_a_name,
)

AGREE = [
    ("OKAFOR", "Okafor"),
    ("Rehak", "Rehák"),
    ("REHA\u0301K", "Rehák"),
    ("Garcia Lopez", "García-López"),
    ("ODWYER", "O'Dwyer"),
    ("O’Dwyer", "O'Dwyer"),
    ("St. Clair", "StClair"),
    ("Mueller", "Müller"),
    ("MULLER", "Müller"),
    ("GROSS", "Groß"),
    ("Sorensen", "Sørensen"),
    ("SOERENSEN", "Sørensen"),
    ("AAGREN", "Ågren"),
    ("Agren", "Ågren"),
    ("Walesa", "Wałęsa"),
    ("İnce", "Ince"),
    ("  Okafor ", "Okafor"),
    ("王", "王"),
    ("ﾀﾞﾃ", "ダテ"),
    ("辻", "辻\U000e0100"),
    ("محمد", "مُحَمَّد"),
    ("احمد", "أحمد"),
    ("שלום", "שָׁלוֹם"),
    ("Nguyen", "Nguyễn"),
]
DISAGREE = [
    ("Okafor", "Brown"),
    ("Okafor", "Okafo"),
    ("Okafor", "Okafor-Smith"),
    ("Müller", "Moller"),
    ("王", "李"),
    ("タナカ", "ダナカ"),
    ("मीना", "मोना"),
    ("राम", "रमा"),
    ("กิน", "กุน"),
]
NOTHING_TO_SAY = [("", "Okafor"), ("Okafor", ""), ('""', "Okafor"), ("--", "Okafor"), ("", "")]


@pytest.mark.parametrize(("message", "registry"), AGREE)
def test_surnames_agree_without_regard_to_case_accents_and_punctuation(
    message: str, registry: str
) -> None:
    assert surnames_agree(message, registry) is True
    assert surnames_agree(registry, message) is True


@pytest.mark.parametrize(("message", "registry"), DISAGREE)
def test_other_surnames_disagree(message: str, registry: str) -> None:
    assert surnames_agree(message, registry) is False


@pytest.mark.parametrize(("message", "registry"), NOTHING_TO_SAY)
def test_a_missing_surname_contradicts_nothing(message: str, registry: str) -> None:
    assert surnames_agree(message, registry) is None


@pytest.mark.parametrize(
    ("message", "registry", "verdict"),
    [
        ("1958-02-14", "1958-02-14", True),
        ("1958-02", "1958-02-14", True),
        ("1958", "1958-02-14", True),
        ("1958-02-14T03:00:00+01:00", "1958-02-14", True),
        ("1958-02-15", "1958-02-14", False),
        ("1957", "1958-02-14", False),
        ("", "1958-02-14", None),
        ('""', "1958-02-14", None),
        ("unknown", "1958-02-14", None),
        ("1958-02-14", "", None),
    ],
)
def test_birth_dates_are_compared_as_far_as_both_are_given(
    message: str, registry: str, verdict: bool | None
) -> None:
    assert birth_dates_agree(message, registry) is verdict


@pytest.mark.parametrize(
    ("message", "registry", "verdict"),
    [
        ("f", "F", True),
        ("Male", "M", True),
        ("M", "F", False),
        ("U", "F", None),
        ("O", "M", None),
        ("", "F", None),
        ('""', "M", None),
        ("A", "M", None),
    ],
)
def test_only_female_against_male_is_a_disagreement(
    message: str, registry: str, verdict: bool | None
) -> None:
    assert sexes_agree(message, registry) is verdict


@pytest.mark.parametrize(
    ("message", "registry"),
    [
        ("MUELLER", "Müller-Lüdenscheidt"),
        ("Muller", "Müller Lüdenscheidt"),
        ("Jensen-Soerensen", "Sørensen"),
        ("van der Berg", "Berg"),
    ],
)
def test_one_name_of_a_double_surname_is_shared_in_each_spelling(
    message: str, registry: str
) -> None:
    assert surnames_share_a_name(message, registry)
    assert surnames_share_a_name(registry, message)
    assert not surnames_share_a_name(message, "Okafor-Lind")
