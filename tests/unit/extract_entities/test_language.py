import pytest

from lambdas.extract_entities.language import is_english


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s/p PE",
        "CHF exac, a-fib w/ RVR, DM2, HTN, CKD 3, s/p CABG, BPH, gout",
        "42 year old female admitted for pain control. Denies fever.",
        "PMH: HTN, DM, CAD. Meds: metformin 500 mg po bid, lisinopril 10 mg daily.",
    ],
)
def test_english_and_shorthand_are_read(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Der Patient klagt über Schmerzen in der Brust und hat seit gestern Fieber.",
        "El paciente ingresa por dolor en el pecho desde ayer, sin fiebre y con tos.",
        "Le patient est admis pour une douleur dans la poitrine depuis hier avec de la fièvre.",
        "患者は胸痛を訴えて入院した。",
        "Пациент поступил с болью в груди.",
    ],
)
def test_other_languages_are_not(text: str) -> None:
    assert not is_english(text)
