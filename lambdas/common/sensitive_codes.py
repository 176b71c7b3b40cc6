"""The sensitive category of a diagnosis code, and of words. Pure.

The groups are those of ICD-10-CM, edition 2026 (https://www.cdc.gov/nchs/icd/icd-10-cm/), whose categories
ICD-10-CA shares. Tobacco is no substance use: 42 CFR 2.11, "substance use disorder". A word marks also
where it is negated: that only makes a notification say less.
"""

import re

from lambdas.common.contracts.recipients.consent import Sensitivity

ICD_10_GROUPS: dict[Sensitivity, tuple[str, ...]] = {
    Sensitivity.SUBSTANCE_USE: (
        *("F10", "F11", "F12", "F13", "F14", "F15", "F16", "F18", "F19"),
        *("G31.2", "G62.1", "I42.6", "K29.2", "K70", "K85.2", "K86.0"),
        *("E24.4", "G72.1", "O35.4", "O99.31", "O99.32", "P04.14", "P04.16", "P04.3", "P04.4"),
        *("P04.81", "P96.1", "Q86.0", "R11.16", "R78.0", "R78.1", "R78.2", "R78.3", "R78.4"),
        *("T40", "T43.62", "T43.64", "T43.65", "T51.0", "Z71.41", "Z71.51"),
    ),
    Sensitivity.HIV: (
        *("B20", "B21", "B22", "B23", "B24", "B97.35", "O98.7", "R75", "Z11.4", "Z20.6", "Z21"),
        *("Z29.81", "Z71.7"),
    ),
    Sensitivity.MENTAL_HEALTH: (
        *("F2", "F3", "F4", "F5", "F60", "F61", "F62", "F63", "F64", "F65", "F66", "F68", "F69"),
        *("F9", "O99.34", "R45.85", "R45.88", "T14.91", "X7", "X80", "X81", "X82", "X83", "Z91.5"),
    ),
    Sensitivity.SEXUAL_HEALTH: (
        *("A5", "A60", "A61", "A62", "A63", "A64", "B97.7", "N34.1", "N73.4", "N73.5"),
        *("O03", "O04", "O07", "O98.1", "O98.2", "O98.3", "T74.2", "T76.2", "Z04.4", "Z11.3"),
        *("Z20.2", "Z30", "Z32.0", "Z33.2", "Z64.0", "Z70", "Z72.5"),
    ),
}
"""Beginnings of codes, compared without the point: `F2` is F20 to F29. B21 to B24 are ICD-10's and ICD-10-CA's."""

_WORDS: dict[Sensitivity, str] = {
    Sensitivity.SUBSTANCE_USE: (
        r"opioid|opiate|opium|narcotic|heroin|cocaine|crack\b|(meth)?amphetamin|crystal meth|mdma|ecstasy|lsd\b|"
        r"hallucinogen|psychoactive|fentanyl|cannab|marijuana|thc\b|(poly)?substance.{0,9}(use|abuse|misuse|dep)|"
        r"(drug|inhalant|stimulant|sedative|anxiolytic|benzodiazepine)s?\b.{0,30}(abuse|misuse|depend|addict|withdraw)|"
        r"(drug|inhalant|stimulant|anxiolytic) use|addict|chemical(ly)? depend|intravenous drug|iv ?drug|ivd[au]\b|"
        r"alcohol|alcool|ethanol|etoh|ethyli|[ée]thylis|ivresse|drunk|intoxicat|withdrawal (seizure|delirium)|"
        r"meth (use|abuse)|benzo\b|dt'?s\b|[aos]ud\b|neonatal abstinence|drinking|heavy drinker|inebriat|"
        r"delirium tremens|detox|overdose|methadone|buprenorphine|suboxone|naloxone|narcan|naltrexone|"
        r"disulfiram|acamprosate|opio[iï]de|h[ée]ro[iï]ne|coca[iï]ne|toxicoman|surdose|sevrage"
    ),
    Sensitivity.HIV: (
        r"hiv(?![a-z])|aids\b|human immunodeficiency virus|acquired immun|antiretroviral|truvada|descovy|"
        r"biktarvy|genvoya|tenofovir|emtricitabine|dolutegravir|bictegravir|efavirenz|rilpivirine|darunavir|"
        r"raltegravir|cabotegravir|vih\b|sida\b"
    ),
    Sensitivity.MENTAL_HEALTH: (
        r"schizo|bipolar|psychos|psychot|psychiatr|psych\b|suicid|self.?(harm|injur)|homicidal|"
        r"d[ée]press(ion|ions|ive|if|ed)\b|mdd\b|bpad\b|paranoi|kill (him|her|my)?self|dysthymi|"
        r"mood \W?(disorder|affective)|mania\b|manic|anxi(ety|ous|eux|[ée]t[ée])|"
        r"panic|phobi|agoraphobi|obsessi(ve|onal)|ocd\b|delusion|dissociative|anorexia nervosa|bulimi|"
        r"(eating|personality|conduct|adjustment|stress|impulse|somatoform|somatization|mental) disorder|"
        r"behaviou?ral (health|medicine)|mental(ly)? (health|ill)|sant[ée] mentale|post.?traumatic|ptsd|attention.deficit|adhd\b|"
        r"gender (identity|dysphoria)|lithium|clozapine|olanzapine|risperidone|aripiprazole|haloperidol"
    ),
    Sensitivity.SEXUAL_HEALTH: (
        r"gonorr|gonoc|(neuro)?syphil|chlamydia|trichomon|chancroid|condylom|(ano)?genital (herpes|wart)|"
        r"herpes(viral)? .{0,30}genital|genital.{0,9}herpes|herpes genitalis|venereal|sexual|st[di]s?\b|"
        r"contracept|birth control|family planning|steriliz|abort|miscarriage|fausse couche|ivg\b|"
        r"termination of pregnancy|unwanted pregnancy|rape\b|pregnancy test|levonorgestrel|ulipristal|"
        r"mifepristone|misoprostol|avortement|agression sexuelle"
    ),
}
WORDS = {
    category: re.compile(rf"(?<![^\W_])(?:{words})", re.IGNORECASE)
    for category, words in _WORDS.items()
}
"""Beginnings of words that name a category, in English and French; drugs that treat little else among them."""

_ICD_10 = re.compile(r"[A-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?")


def categories_of_code(code: str) -> frozenset[Sensitivity]:
    """The categories of an ICD-10 code, with or without its point; none for a code of another form."""
    written = code.strip().upper()
    if not _ICD_10.fullmatch(written):
        return frozenset()
    plain = written.replace(".", "")
    return frozenset(
        category
        for category, beginnings in ICD_10_GROUPS.items()
        if plain.startswith(tuple(one.replace(".", "") for one in beginnings))
    )


def categories_of_words(text: str) -> frozenset[Sensitivity]:
    """The categories that a text names."""
    return frozenset(category for category, words in WORDS.items() if words.search(text))
