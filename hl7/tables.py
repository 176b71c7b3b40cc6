"""Standard tables of HL7 v2 that the code uses. A sender's own tables are in environments/senders/."""

from types import MappingProxyType

MESSAGE_ERRORS = MappingProxyType(
    {
        100: "Segment sequence error",
        101: "Required field missing",
        102: "Data type error",
        103: "Table value not found",
        200: "Unsupported message type",
        201: "Unsupported event code",
        202: "Unsupported processing id",
        203: "Unsupported version id",
        204: "Unknown key identifier",
        205: "Duplicate key identifier",
        206: "Application record locked",
        207: "Application internal error",
    }
)
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

CHARACTER_SETS = MappingProxyType(
    {
        "ASCII": "ascii",
        **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
        "ISO IR6": "ascii",
        "ISO IR13": "iso2022_jp_ext",
        "ISO IR14": "iso2022_jp_ext",
        "ISO IR87": "iso2022_jp_ext",
        "ISO IR159": "iso2022_jp_ext",
        # Two names for JIS X 0202, which is ISO 2022: Japanese after escape sequences.
        "JAS2020": "iso2022_jp_ext",
        "JIS X 0202": "iso2022_jp_ext",
        "GB 18030-2000": "gb18030",
        "KS X 1001": "euc_kr",
        "BIG-5": "big5",
        "UNICODE": "utf-8",
        "UNICODE UTF-8": "utf-8",
        "UNICODE UTF-16": "utf-16",
        "UNICODE UTF-32": "utf-32",
    }
)
"""Table 0211, MSH-18, to Python's codec. CNS 11643-1992 is left out: Python has no codec for it."""

INFORMAL_CHARACTER_SETS = MappingProxyType(
    {
        "USASCII": "ascii",
        "UTF8": "utf-8",
        "UTF16": "utf-16",
        "UTF32": "utf-32",
        "UNICODEUTF8": "utf-8",
        "LATIN1": "iso8859-1",
        "ISOLATIN1": "iso8859-1",
        "LATIN2": "iso8859-2",
        "LATIN9": "iso8859-15",
        "ANSI": "cp1252",
        "MSANSI": "cp1252",
        "KOI8R": "koi8-r",
        "KOI8U": "koi8-u",
        "SJIS": "cp932",
        "SHIFTJIS": "cp932",
        "WINDOWS31J": "cp932",
        "MS932": "cp932",
        "EUCJP": "euc_jp",
        "ISO2022JP": "iso2022_jp_ext",
        "EUCKR": "euc_kr",
        "KSC5601": "euc_kr",
        "KSX1001": "euc_kr",
        "ISO2022KR": "iso2022_kr",
        "GB2312": "gbk",
        "GBK": "gbk",
        "GB18030": "gb18030",
        "BIG5": "big5",
        "TIS620": "iso8859-11",
        # ISO's registration numbers, as DICOM writes them (PS3.3, C.12.1.1.2).
        "ISOIR100": "iso8859-1",
        "ISOIR101": "iso8859-2",
        "ISOIR109": "iso8859-3",
        "ISOIR110": "iso8859-4",
        "ISOIR144": "iso8859-5",
        "ISOIR127": "iso8859-6",
        "ISOIR126": "iso8859-7",
        "ISOIR138": "iso8859-8",
        "ISOIR148": "iso8859-9",
        "ISOIR166": "iso8859-11",
        "ISOIR203": "iso8859-15",
        "ISOIR149": "euc_kr",
        "ISOIR58": "gbk",
        "ISOIR192": "utf-8",
    }
)
"""Names outside table 0211 that senders write into MSH-18, in capitals without blanks and punctuation."""
