"""The report as a PDF that can be signed, by pen or with a certificate.

Each line to sign is a form field above a rule: the first a signature field (ISO 32000-1, 12.7.4.5), which a
PDF reader signs with a certificate, the others texts. The same report gives the same bytes: no time and no
random identifier is written (docs/adr/0288-pdf-by-pydyf.md).
"""

from dataclasses import dataclass, field
from io import BytesIO

import pydyf

from ops.cop.helvetica import lines, width
from ops.cop.report import Block, CopReport, ReportHeading, ReportParagraph, ReportTable

WIDTH, HEIGHT, MARGIN = 612, 792, 54
"""US Letter in points."""

SPACE = WIDTH - 2 * MARGIN
BODY, SMALL, LARGE, TITLE = 9.5, 8.0, 11.5, 16.0
LEADING = 1.35
PADDING = 4.0
GREY = 0.45
FOOTER = 30.0
SIGNATURE_HEIGHT = 30.0
EDITABLE_WIDTH = 260.0
PRINTED = 4
"""Annotation flag: shown in print (ISO 32000-1, table 165, bit 3)."""


def pdf(report: CopReport) -> bytes:
    """Returns the document, of PDF 1.7."""
    layout = _Layout()
    layout.text(report.title, TITLE, bold=True, after=8)
    for name, value in report.facts:
        layout.fact(name, value)
    for block in report.blocks:
        _block(layout, block)
    places = _signature(layout, report.signature)
    running = " · ".join(value for _, value in report.facts[:2])
    layout.footers(f"{report.title} · {running}")
    return _document(layout, report, places)


@dataclass(frozen=True, slots=True)
class _FormField:
    """A form field: its label, page and lower left corner."""

    label: str
    page: int
    x: float
    y: float


@dataclass(slots=True)
class _Layout:
    """Pages that are filled from the top; `y` is the next line's upper edge."""

    pages: list[pydyf.Stream] = field(default_factory=list)
    y: float = 0.0

    def __post_init__(self) -> None:
        self.new_page()

    @property
    def page(self) -> pydyf.Stream:
        return self.pages[-1]

    def new_page(self) -> None:
        self.pages.append(pydyf.Stream(compress=True))
        self.y = HEIGHT - MARGIN

    def need(self, height: float) -> bool:
        """Whether a new page was begun, because the height does not fit this one."""
        if self.y - height >= MARGIN + FOOTER:
            return False
        self.new_page()
        return True

    def text(self, text: str, size: float, *, bold: bool = False, after: float = 0) -> None:
        """A paragraph over the whole width."""
        for line in lines(text, size, SPACE, bold=bold):
            self.need(size * LEADING)
            self.y -= size * LEADING
            self.write(MARGIN, self.y, line, size, bold=bold)
        self.y -= after

    def fact(self, name: str, value: str) -> None:
        """A name and its value in one line."""
        self.need(BODY * LEADING)
        self.y -= BODY * LEADING
        self.write(MARGIN, self.y, name, BODY, grey=GREY)
        self.write(MARGIN + 150, self.y, value, BODY)

    def write(
        self, x: float, y: float, text: str, size: float, *, bold: bool = False, grey: float = 0
    ) -> None:
        """One line of text; a character that code page 1252 lacks becomes a question mark."""
        stream = self.page
        stream.begin_text()
        stream.set_color_rgb(grey, grey, grey)
        stream.set_font_size("F2" if bold else "F1", size)
        stream.set_text_matrix(1, 0, 0, 1, round(x, 2), round(y, 2))
        stream.show_text_string(text.encode("cp1252", "replace"))
        stream.end_text()

    def rule(self, x: float, y: float, length: float, thickness: float = 0.5) -> None:
        """A horizontal line."""
        self.page.set_color_rgb(GREY, GREY, GREY, stroke=True)
        self.page.set_line_width(thickness)
        self.page.move_to(round(x, 2), round(y, 2))
        self.page.line_to(round(x + length, 2), round(y, 2))
        self.page.stroke()

    def footers(self, running: str) -> None:
        """Writes name and number of the page at the foot of each."""
        whole = self.pages
        for number, page in enumerate(whole, 1):
            self.pages = [page]
            self.rule(MARGIN, MARGIN - 2, SPACE)
            self.write(MARGIN, MARGIN - 14, running, SMALL, grey=GREY)
            place = f"Page {number} of {len(whole)}"
            self.write(WIDTH - MARGIN - width(place, SMALL), MARGIN - 14, place, SMALL, grey=GREY)
        self.pages = whole


def _block(layout: _Layout, block: Block) -> None:
    match block:
        case ReportHeading(text):
            # A heading stays with the first lines under it.
            layout.need(LARGE * LEADING + 5 * BODY * LEADING)
            layout.y -= 12
            layout.text(text, LARGE, bold=True, after=4)
        case ReportParagraph(text):
            layout.text(text, BODY, after=4)
        case ReportTable():
            _table(layout, block)


def _table(layout: _Layout, made: ReportTable) -> None:
    """The table; its headings are repeated on each page."""
    share = SPACE / sum(made.widths)
    widths = [one * share for one in made.widths]
    _row(layout, made, made.headings, widths, heading=True)
    for row in made.rows:
        cells = _cells(row, widths, SMALL, bold=False)
        if layout.need(_height(cells)):
            _row(layout, made, made.headings, widths, heading=True)
        _row(layout, made, row, widths, heading=False)
    layout.y -= 4


def _row(
    layout: _Layout, made: ReportTable, row: tuple[str, ...], widths: list[float], *, heading: bool
) -> None:
    cells = _cells(row, widths, SMALL, bold=heading)
    height = _height(cells)
    layout.need(height)
    x = float(MARGIN)
    for column, (cell, space) in enumerate(zip(cells, widths, strict=True)):
        for number, line in enumerate(cell, 1):
            y = layout.y - PADDING / 2 - number * SMALL * LEADING + 2
            right = x + space - PADDING - width(line, SMALL, bold=heading)
            at = right if column in made.numbers else x
            layout.write(at, y, line, SMALL, bold=heading)
        x += space
    layout.y -= height
    layout.rule(MARGIN, layout.y, SPACE, 0.9 if heading else 0.25)


def _cells(
    row: tuple[str, ...], widths: list[float], size: float, *, bold: bool
) -> list[list[str]]:
    return [
        lines(text, size, space - PADDING, bold=bold)
        for text, space in zip(row, widths, strict=True)
    ]


def _height(cells: list[list[str]]) -> float:
    return max(map(len, cells)) * SMALL * LEADING + PADDING


def _signature(layout: _Layout, labels: tuple[str, ...]) -> list[_FormField]:
    """The lines to sign, kept together on one page."""
    layout.need(SIGNATURE_HEIGHT * (len(labels) + 1))
    layout.y -= 12
    places = []
    for label in labels:
        layout.y -= SIGNATURE_HEIGHT
        layout.write(MARGIN, layout.y, label, BODY)
        layout.rule(MARGIN + 100, layout.y - 2, EDITABLE_WIDTH)
        places.append(_FormField(label, len(layout.pages) - 1, MARGIN + 100, layout.y))
    return places


def _document(layout: _Layout, report: CopReport, places: list[_FormField]) -> bytes:
    document = pydyf.PDF()
    fonts = pydyf.Dictionary(
        {
            key: pydyf.Dictionary(
                {
                    "Type": "/Font",
                    "Subtype": "/Type1",
                    "BaseFont": f"/{font}",
                    "Encoding": "/WinAnsiEncoding",
                }
            )
            for key, font in (("F1", "Helvetica"), ("F2", "Helvetica-Bold"))
        }
    )
    document.add_object(fonts)
    pages = [_page(document, stream, fonts) for stream in layout.pages]
    widgets = [_widget(document, pages, one, n) for n, one in enumerate(places)]
    document.catalog["AcroForm"] = pydyf.Dictionary(
        {
            "Fields": pydyf.Array([widget.reference for widget in widgets]),
            "DR": pydyf.Dictionary({"Font": fonts.reference}),
            "DA": pydyf.String("/F1 10 Tf 0 g"),
        }
    )
    document.catalog["Lang"] = pydyf.String("en-US")
    document.info["Title"] = pydyf.String(report.title)
    document.info["Producer"] = pydyf.String("hl7-ens")
    out = BytesIO()
    # The identifier is the digest of the objects.
    document.write(out, identifier=True)
    return out.getvalue()


def _page(document: pydyf.PDF, stream: pydyf.Stream, fonts: pydyf.Dictionary) -> pydyf.Dictionary:
    document.add_object(stream)
    page = pydyf.Dictionary(
        {
            "Type": "/Page",
            "Parent": document.pages.reference,
            "MediaBox": pydyf.Array([0, 0, WIDTH, HEIGHT]),
            "Contents": stream.reference,
            "Resources": pydyf.Dictionary({"Font": fonts.reference}),
            "Annots": pydyf.Array([]),
        }
    )
    document.add_page(page)
    return page


def _widget(
    document: pydyf.PDF, pages: list[pydyf.Dictionary], place: _FormField, number: int
) -> pydyf.Dictionary:
    """The form field of a line: the first is the signature."""
    top = place.y + SIGNATURE_HEIGHT - 8
    kind = {"FT": "/Sig"} if number == 0 else {"FT": "/Tx", "DA": pydyf.String("/F1 10 Tf 0 g")}
    widget = pydyf.Dictionary(
        {
            "Type": "/Annot",
            "Subtype": "/Widget",
            **kind,
            "T": pydyf.String(place.label),
            "TU": pydyf.String(place.label),
            "F": PRINTED,
            "P": pages[place.page].reference,
            "Rect": pydyf.Array(
                [
                    place.x,
                    place.y - 1,
                    place.x + EDITABLE_WIDTH,
                    top if number == 0 else place.y + 14,
                ]
            ),
        }
    )
    document.add_object(widget)
    pages[place.page]["Annots"].append(widget.reference)
    return widget
