"""What a section of the report is made of. `macro` names what draws a block, in templates/blocks.html."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from tflbnn.analysis.report.charts import LineChart
from tflbnn.analysis.report.plots import Plot


@dataclasses.dataclass(frozen=True)
class Block:
    """Any of the classes below."""

    macro: ClassVar[str]


@dataclasses.dataclass(frozen=True)
class Intro(Block):
    """The sentences under a section's heading."""

    macro = "intro"
    text: str


@dataclasses.dataclass(frozen=True)
class Absent(Block):
    """In place of what is not there: why, and how to get it."""

    macro = "absent"
    text: str


@dataclasses.dataclass(frozen=True)
class Heading(Block):
    """A heading inside of a section."""

    macro = "heading"
    text: str


@dataclasses.dataclass(frozen=True)
class Pairs(Block):
    """Names with their values, in one table or, where `halves`, in two beside each other."""

    macro = "pairs"
    rows: Sequence[tuple[str, str]]
    label: str
    halves: bool = False


@dataclasses.dataclass(frozen=True)
class Column:
    """A column's heading, whose lines end with a line feed, and its alignment: "" (left), "n" (numbers), "c" (centre),
    "shape" (left, in one line)."""

    name: str
    align: str = ""


@dataclasses.dataclass(frozen=True)
class Row:
    """A table's row; `kind` "binary" marks those whose bits are told in colour."""

    cells: Sequence[str]
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class Table(Block):
    """A table that scrolls by itself where it is too wide. The first column names the rows, unless `headed` is False.

    The total's first cell spans the columns that it has fewer than the table.
    """

    macro = "table"
    label: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    total: Sequence[str] = ()
    headed: bool = True


@dataclasses.dataclass(frozen=True)
class Bar:
    """A bar's length as a share, 0 to 1, with what is written above it; `kind`: "binary", "rest"."""

    name: str
    text: str
    share: float
    kind: str = "binary"


@dataclasses.dataclass(frozen=True)
class Bars(Block):
    """Horizontal bars; with `whole` each stands on one that is all of it."""

    macro = "bars"
    bars: Sequence[Bar]
    whole: bool = False


@dataclasses.dataclass(frozen=True)
class Key(Block):
    """What colours mean: ("binary" | "rest" | "right" | "wrong" | "", text)."""

    macro = "key"
    entries: Sequence[tuple[str, str]]


@dataclasses.dataclass(frozen=True)
class Charts(Block):
    """Line charts over the epochs, two beside each other where there is room, or with `wide` each alone."""

    macro = "charts"
    charts: Sequence[LineChart]
    wide: bool = False


@dataclasses.dataclass(frozen=True)
class Plots(Block):
    """Points and lines over two quantities."""

    macro = "plots"
    plots: Sequence[Plot]


@dataclasses.dataclass(frozen=True)
class Picture:
    """A PNG with what stands under it and what is read out in its place."""

    png: bytes
    caption: str
    alt: str

    @property
    def source(self) -> str:
        """The picture itself as a data URI."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


@dataclasses.dataclass(frozen=True)
class Pictures(Block):
    """Pictures under each other, as wide as the page allows."""

    macro = "pictures"
    pictures: Sequence[Picture]


@dataclasses.dataclass(frozen=True)
class Confusion(Block):
    """The confusion matrix, as `sections.confusion` lays it out."""

    macro = "confusion"
    view: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Code(Block):
    """Commands, a line each."""

    macro = "code"
    lines: Sequence[str]


def columns(names: Iterable[str], numbers: bool = True) -> list[Column]:
    """Columns of which the first is text and the others are numbers.

    >>> [column.align for column in columns(["model", "median", "best"])]
    ['', 'n', 'n']
    """
    return [Column(name, "n" if numbers and index else "") for index, name in enumerate(names)]
