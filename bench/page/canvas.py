"""What all plots share: colours, type and lines, and the way from a matplotlib figure to SVG that stands in a page.

Text stays text, so it is small, can be searched, read aloud and shown in any script the reader's machine has fonts for.
Nothing in the SVG names another file.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"

#: Inches; with 72 points an inch the page shows about 1.5 pixels a point.
WIDTH = 10.0

INK, FAINT, PROMISE = "#1b2733", "#8a97a3", "#b3261e"

#: Okabe and Ito's colours without the yellow, which is faint on white; told apart with any colour vision.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5b4b8a", "#6b6b6b")
DASHES = ("-", "--", "-.", ":")

_STYLE: Any = {  # matplotlib has a type for each key
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e8ec",
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.0,
    "svg.fonttype": "none",
    "svg.hashsalt": "tellerbox",
    "text.parse_math": False,
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished plot.

    Attributes:
        key: names it within the page, a letter and then letters, digits or hyphens.
        title: what it shows, for everybody.
        summary: what can be seen in it, for those who do not see it.
        svg: the drawing, an ``<svg>`` element.
        note: how it is to be read.
    """

    key: str
    title: str
    summary: str
    svg: str
    note: str = ""


@contextmanager
def style() -> Iterator[None]:
    """Draw in this style whatever the reader's matplotlibrc says; drawing AND saving must happen inside."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


Shared = Literal["none", "row", "col"]


def panels(
    rows: int, columns: int, row_height: float, sharex: Shared = "none", sharey: Shared = "none"
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of (rows, columns) axes, each row so many inches high; shared axes have one scale."""
    figure = Figure(figsize=(WIDTH, rows * row_height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey)
    return figure, [list(row) for row in grid]


def look(place: int) -> tuple[str, str]:
    """Colour and dash of the ``place``-th line; both change, so that no two of the first 32 are alike."""
    return COLOURS[place % len(COLOURS)], DASHES[(place // len(COLOURS) + place) % len(DASHES)]


def plot(figure: Figure, key: str, title: str, summary: str, note: str = "") -> Plot:
    """A figure as a plot: inlined SVG with a title and a description for screen readers."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(key, title, summary, _inlined(text.getvalue(), key, title, summary), note)


def milliseconds(value: float) -> str:
    """Such as ``48 ms`` or ``1.2 s``."""
    return f"{value / 1000.0:.2f} s" if value >= 1000.0 else f"{value:.0f} ms" if value >= 10.0 else f"{value:.1f} ms"


def listed(parts: Sequence[str]) -> str:
    """Sentences in a row."""
    return " ".join(f"{part.rstrip('.')}." for part in parts)


def _inlined(svg: str, key: str, title: str, summary: str) -> str:
    """The drawing alone: no declaration, no metadata, a size that follows the page, and ids that are its own."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    root = ElementTree.fromstring(svg)
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.attrib[name] = f"{key}-{value}"
            elif name == f"{{{XLINK}}}href":
                element.attrib[name] = f"#{key}-{value.removeprefix('#')}"
            elif "url(#" in value:
                element.attrib[name] = re.sub(r"url\(#", f"url(#{key}-", value)
    for name in ("width", "height"):
        del root.attrib[name]
    root.attrib.update({"role": "img", "aria-labelledby": f"{key}-title {key}-desc"})
    for place, (name, words) in enumerate((("title", title), ("desc", summary))):
        label = ElementTree.Element(f"{{{SVG}}}{name}", {"id": f"{key}-{name}"})
        label.text = words
        root.insert(place, label)
    return ElementTree.tostring(root, encoding="unicode")
