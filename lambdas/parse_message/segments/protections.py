"""Reads the marks of a message that protect its stay: flags, and sensitive units, services and diagnoses."""

from collections.abc import Iterator, Mapping

from hl7.death import is_nubc
from hl7.er7 import Message, Segment, Value
from lambdas.common.contracts.encounters.protection import Basis, ProtectionFlag, SensitiveMark
from lambdas.common.contracts.message.visit import CodedText, Visit
from lambdas.common.contracts.recipients.consent import Sensitivity
from lambdas.common.senders import SenderPrivacy
from lambdas.common.sensitive_codes import categories_of_code, categories_of_words

NO_VIP = frozenset({"", "n", "no", "0", "false"})
"""PV1-16 without a VIP. Table 0099 is the sender's: each other code marks one, but for its `not_vip_codes`."""

CONFIDENTIALITY = frozenset(
    {"AID", "EMP", "ETH", "HIV", "PSY", "R", "UWM", "V", "VIP", "2", "3", "4", "5"}
)
"""HL7 table 0177 without `U` (usual control). Senders also write user names into MSH-8: no other text counts."""

NO_PUBLICITY_LIMIT = frozenset({"U", *(f"{number:02}" for number in range(1, 13))})
"""Table 0215: unknown, and the codes of immunization registries, which are about reminders and recalls."""

DELETED = "D"
"""ARV-2, table 0206: the restriction is deleted."""

NO_RESTRICTION = frozenset({"NO", "OI"})
"""ARV-3, table 0717: none, and opted in."""

CATEGORIES = {
    "AID": Sensitivity.HIV,
    "HIV": Sensitivity.HIV,
    "ETH": Sensitivity.SUBSTANCE_USE,
    "DRG": Sensitivity.SUBSTANCE_USE,
    "PSY": Sensitivity.MENTAL_HEALTH,
    "STD": Sensitivity.SEXUAL_HEALTH,
    "UWM": Sensitivity.SEXUAL_HEALTH,
}
"""Codes of tables 0177 (MSH-8) and 0717 (ARV-3) that name a category."""

PLACES = (3, 6, 11)
"""PV1-3, PV1-6 and PV1-11: the present, prior and temporary location."""


PSYCHIATRIC = frozenset({"65", "93"})
"""NUBC discharge status: a psychiatric hospital or unit, without and with a planned readmission."""

LONGEST_CODE = 3
"""Shorter names of places are codes and no words: `AUD` is audiology too, `STD` step-down."""


def flags(message: Message, privacy: SenderPrivacy) -> tuple[ProtectionFlag, ...]:
    """The positions with which the sender protects the stay (HL7 2.5.1 sections 2.15.9, 3.4 and 6.5; ARV: 2.6)."""
    pv1, pv2, pd1 = message.first("PV1"), message.first("PV2"), message.first("PD1")
    marks = {
        ProtectionFlag.MSH_8: _security(message) in CONFIDENTIALITY,
        ProtectionFlag.PV1_16: pv1.part(16).strip().casefold() not in NO_VIP | privacy.not_vip,
        ProtectionFlag.PV2_21: _publicity(pv2.part(21)),
        ProtectionFlag.PV2_22: _yes(pv2.part(22)),
        ProtectionFlag.PD1_11: _publicity(pd1.part(11)),
        ProtectionFlag.PD1_12: _yes(pd1.part(12)),
        ProtectionFlag.DG1_18: any(_yes(dg1.part(18)) for dg1 in message.all("DG1")),
        ProtectionFlag.ARV: any(_restricts(arv) for arv in message.all("ARV")),
    }
    return tuple(flag for flag, is_set in marks.items() if is_set)


def sensitive_marks(
    message: Message, visit: Visit, privacy: SenderPrivacy
) -> tuple[SensitiveMark, ...]:
    """The sensitive categories of the stay, each with its basis.

    Its diagnoses are DG1-3, DG1-4, PV2-3, and what the places and the disposition of `visit` say in words.
    """
    pv1 = message.first("PV1")
    units = (pv1.part(number, part) for number in PLACES for part in (1, 4))
    coded = [message.first("PV2").first(3), *(dg1.first(3) for dg1 in message.all("DG1"))]
    texts = [dg1.part(4) for dg1 in message.all("DG1")]
    diagnosed = {one for value in coded for one in _of(value, privacy)}
    diagnosed |= {one for text in texts for one in categories_of_words(text)}
    diagnosed |= _of_places(visit)
    found = [
        *((Basis.UNIT, one) for unit in units for one in _listed(unit, privacy.units)),
        *((Basis.SERVICE, one) for one in _listed(pv1.part(10), privacy.services)),
        *((Basis.DIAGNOSIS, one) for one in Sensitivity if one in diagnosed),
        *((Basis.CODE, one) for one in _coded(message)),
    ]
    return tuple(
        dict.fromkeys(SensitiveMark(category=category, basis=basis) for basis, category in found)
    )


def _of(value: Value, privacy: SenderPrivacy) -> frozenset[Sensitivity]:
    """The categories of a coded entry (CWE): by its codes, the sender's own codes, and its words."""
    found: frozenset[Sensitivity] = frozenset()
    for code in (value.part(1), value.part(4)):
        found |= categories_of_code(code) | frozenset(_listed(code, privacy.diagnoses))
    return found | categories_of_words(" ".join(value.part(n) for n in (1, 2, 4, 5, 9)))


def _of_places(visit: Visit) -> frozenset[Sensitivity]:
    """The categories that the words of units, disposition and place of discharge name, as a letter shows them."""
    places = (
        text
        for place in (visit.location, visit.prior_location)
        for text in (place.unit, place.unit_name, place.description)
    )
    texts = [*places, visit.disposition.text, visit.discharged_to]
    found = categories_of_words("\n".join(one for one in texts if len(one.strip()) > LONGEST_CODE))
    return found | ({Sensitivity.MENTAL_HEALTH} if _is_psychiatric(visit.disposition) else set())


def _is_psychiatric(disposition: CodedText) -> bool:
    nubc = is_nubc(disposition.system) or not (disposition.system or disposition.text)
    return nubc and disposition.code.strip() in PSYCHIATRIC


def _coded(message: Message) -> Iterator[Sensitivity]:
    restrictions = (arv.code(3).upper() for arv in message.all("ARV") if _restricts(arv))
    for code in (_security(message), *restrictions):
        if code in CATEGORIES:
            yield CATEGORIES[code]


def _listed(code: str, listed: Mapping[Sensitivity, frozenset[str]]) -> list[Sensitivity]:
    wanted = code.strip().casefold()
    return [category for category, codes in listed.items() if wanted and wanted in codes]


def _security(message: Message) -> str:
    return message.first("MSH").part(8).strip().upper()


def _publicity(text: str) -> bool:
    code = text.strip().upper()
    return bool(code) and code not in NO_PUBLICITY_LIMIT


def _restricts(arv: Segment) -> bool:
    return arv.code(2).upper() != DELETED and arv.code(3).upper() not in NO_RESTRICTION


def _yes(text: str) -> bool:
    return text.strip().upper() in ("Y", "YES", "1", "TRUE")
