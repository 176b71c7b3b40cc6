"""Whether a text is English enough for Comprehend Medical, which reads nothing else. Pure."""

import re

WORDS = frozenset(
    """
    a about after all also an and any are as at be been before but by can could days did do due for from had has
    have he her his history if in is it its left no not of on or other patient pt right seen she since that the
    their there they this to today up was we were which will with without who year years old denies takes taking
    """.split()  # noqa: SIM905 - a list of words is read as words
)
OTHERS = frozenset(
    """
    der die das und ist nicht mit ein eine von auf den dem im zu bei nach keine wird wurde patientin hat
    el la los las del con una por para sin que paciente desde dolor es un se su
    le les des une dans avec pour sur est pas chez du et au aux depuis sans
    il gli della con per che non di e una nel dal paziente
    de het een van niet met voor naar bij geen is en
    o os as um uma com sem para por da do na no em
    """.split()  # noqa: SIM905 - a list of words is read as words
)
_WORD = re.compile(r"[^\W\d_]+")
FEWEST = 8
"""Words below which nothing can be told: an admission diagnosis in shorthand has no articles."""


def is_english(text: str) -> bool:
    """False where another script or another language's small words plainly outweigh English ones."""
    letters = [character for character in text if character.isalpha()]
    if letters and sum(ord(character) > 0x24F for character in letters) > len(letters) / 2:
        return False
    words = [word.casefold() for word in _WORD.findall(text)]
    if len(words) < FEWEST:
        return True
    english = sum(word in WORDS for word in words)
    others = sum(word in OTHERS - WORDS for word in words)
    return others <= english or others < len(words) / 8
