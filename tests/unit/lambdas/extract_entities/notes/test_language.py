import pytest

from lambdas.extract_entities.notes.language import (
    is_english,
    language_of,
    languages,
    load_detector,
)
from lambdas.extract_entities.notes.notes import Piece

SHORTHAND = [
    "",
    "s/p PE",
    "Chest pain",
    "SOB, CP x 3d, r/o MI",
    "CHF exac, a-fib w/ RVR, DM2, HTN, CKD 3, s/p CABG, BPH, gout",
    "N/V/D x 2d, abd pain, r/o SBO",
    "PMH: HTN, DM, CAD. Meds: metformin 500 mg po bid, lisinopril 10 mg daily.",
    "LLE cellulitis, IV abx",
    "IDDM, DKA, AG 24, insulin gtt",
    "CVA, tPA given, R hemiparesis, aphasia",
    "VSS. AFEBRILE. LUNGS CTAB. ABD SOFT NT ND. A&O X3.",
    "42 year old female admitted for pain control. Denies fever.",
]
FRENCH = [
    "Le patient est admis pour une douleur dans la poitrine depuis hier avec de la fièvre.",
    "Patiente de 72 ans, ATCD HTA, DB2, FA sous Eliquis. Admise pour dyspnée.",
    "DRS x 2 j, R/O IM. ECG: pas de sus-décalage ST.",
    "Suspicion d'embolie pulmonaire. Angioscanner prévu ce soir.",
]
SPANISH = [
    "El paciente ingresa por dolor en el pecho desde ayer, sin fiebre y con tos.",
    "Paciente femenina de 72 años con HTA, DM2 y FA. Ingresa por disnea.",
    "Dolor abdominal, náuseas y vómitos x 3 días. Descartar apendicitis.",
    "Caída en domicilio, fractura de cadera derecha.",
]
OTHERS = [
    ("de", "Der Patient klagt über Schmerzen in der Brust und hat seit gestern Fieber."),
    ("it", "Il paziente riferisce dolore toracico da ieri, senza febbre."),
    ("ja", "患者は胸痛を訴えて入院した。発熱はない。"),
    ("ru", "Пациент поступил с болью в груди."),
]

DETECTOR = load_detector()


@pytest.mark.parametrize("text", SHORTHAND)
def test_english_and_shorthand_are_sent(text: str) -> None:
    assert is_english(language_of(DETECTOR, text))


@pytest.mark.parametrize(
    ("language", "text"),
    [*(("fr", text) for text in FRENCH), *(("es", text) for text in SPANISH), *OTHERS],
)
def test_another_language_is_known_by_name(language: str, text: str) -> None:
    assert language_of(DETECTOR, text) == language
    assert not is_english(language)


def spoken(*texts: str, declared: str = "") -> list[str]:
    return languages(DETECTOR, [Piece(str(n), text) for n, text in enumerate(texts)], declared)


def test_a_line_of_a_french_report_is_french_though_it_tells_nothing_itself() -> None:
    assert spoken(*FRENCH, "Hb 72") == ["fr"] * 5


def test_an_english_note_beside_a_french_one_is_read() -> None:
    note = "The patient was admitted this morning and denies any fever."
    assert spoken(note, FRENCH[0]) == ["en", "fr"]


@pytest.mark.parametrize(
    ("declared", "sent"), [("", True), ("en", True), ("eng", True), ("fr", False)]
)
def test_what_the_message_declares_decides_where_the_words_do_not(
    declared: str, sent: bool
) -> None:
    assert is_english(spoken("FA, HTA", declared=declared)[0]) is sent


def test_plain_words_outweigh_what_is_declared() -> None:
    assert spoken("The patient denies fever and chills today.", declared="fr") == ["en"]
    assert spoken(FRENCH[0], declared="en") == ["fr"]


def test_a_document_that_declares_its_language_is_believed_before_the_message_is() -> None:
    assert languages(DETECTOR, [Piece("1", "FA, HTA", "es")], "en") == ["es"]
