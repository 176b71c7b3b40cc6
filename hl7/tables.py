"""Standard tables of HL7 v2 that the code uses. A sender's own tables are in environments/senders/."""

import tomllib
from pathlib import Path

_TABLES: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_suffix(".toml").read_text("utf-8")
)

MESSAGE_ERRORS = {int(code): text for code, text in _TABLES["message_errors"].items()}
"""Table 0357, ERR-3: code to text."""

ADT_TRIGGER_EVENTS = frozenset(f"A{number:02}" for number in range(1, 63))
"""Table 0003, as far as chapter 3 (patient administration) uses it: A01 to A62."""

SEGMENTS = frozenset(
    name
    for line in (
        "ABS ACC ADD ADJ AFF AIG AIL AIP AIS AL1 APR ARQ ARV AUT BHS BLC BLG BPO BPX BTS",
        "BTX BUI CDM CDO CER CM0 CM1 CM2 CNS CON CSP CSR CSS CTD CTI DB1 DG1 DMI DON DPS",
        "DRG DSC DSP ECD ECR EDU EQL EQP EQU ERQ ERR EVN FAC FHS FT1 FTS GOL GP1 GP2 GSC",
        "GSP GSR GT1 IAM IAR IIM ILT IN1 IN2 IN3 INV IPC IPR ISD ITM IVC IVT LAN LCC LCH",
        "LDP LOC LRL MCP MFA MFE MFI MRG MSA MSH NCK NDS NK1 NPU NSC NST NTE OBR OBX ODS",
        "ODT OH1 OH2 OH3 OH4 OM1 OM2 OM3 OM4 OM5 OM6 OM7 OMC ORC ORG ORO OVR PAC PCE PCR",
        "PD1 PDA PDC PEO PES PID PKG PM1 PMT PR1 PRA PRB PRC PRD PRT PSG PSH PSL PSS PTH",
        "PV1 PV2 PYE QAK QID QPD QRD QRF QRI RCP RDF RDT REL RF1 RFI RGS RMI ROL RQ1 RQD",
        "RX1 RXA RXC RXD RXE RXG RXO RXR RXV SAC SCD SCH SCP SDD SFT SGH SGT SHP SID SLT",
        "SPM SPR STF STZ TCC TCD TQ1 TQ2 TXA UAC UB1 UB2 URD URS VAR VND VTQ",
    )
    for name in line.split()
)
"""The segments of all versions from 2.1 to 2.9 (appendix A), the names that begin with Z aside."""

DISCHARGE_STATUSES = frozenset(
    {"01", "02", "03", "04", "05", "06", "07", "09", "20", "21", "30", "40", "41", "42", "43", "50"}
    | {"51", "61", "62", "63", "64", "65", "66", "69", "70"}
    | {str(code) for code in range(81, 96)}
)
"""NUBC patient discharge status (UB-04 FL 17), which PV1-36 holds where its table 0112 is not the site's own."""

OBSERVATION_STATUSES = frozenset("ABCDFINOPRSUVWX")
"""Table 0085, OBX-11."""

CHARACTER_SETS = _TABLES["character_sets"]
"""Table 0211, MSH-18, to Python's codec."""

INFORMAL_CHARACTER_SETS = _TABLES["informal_character_sets"]
"""Names outside table 0211 that senders write into MSH-18, in capitals without blanks and punctuation."""
