"""Where the time of an inference goes: a bar an operation, and each binary convolution under the machine's roofline.

Williams et al., "Roofline: An Insightful Visual Performance Model for Multicore Architectures" (2009).
"""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from tflbnn.analysis.report.blocks import Bar, Bars, Block, Intro, Plots, Row, Table, columns
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.plots import Axis, Dot, Line, plot
from tflbnn.analysis.report.units import milliseconds
from tflbnn.analysis.units import short

if TYPE_CHECKING:
    from tflbnn.analysis.report.collect import Source
    from tflbnn.cli._per_op import Operation, PerOp

TITLE = "Where the time goes"

SHOWN = 24  # operations; those that take less are one bar
BYTES = {"bits": 4, "float32": 4, "int32": 4, "int8": 1, "uint8": 1, "float16": 2}


@dataclasses.dataclass(frozen=True)
class Profile:
    """The delegate's operations, and how many bytes a second a core copies to and from memory."""

    per_op: PerOp
    bytes_per_second: float


def gather(source: Source) -> Profile | None:
    """Measures the exported model operation by operation; None without one."""
    from tflbnn.cli._per_op import measure

    if not source.run.model_tflite.is_file():
        return None
    source.progress("measuring each operation")
    return Profile(measure(source.run.model_tflite, source.threads, source.rounds), bandwidth())


def bandwidth(size: int = 1 << 25) -> float:
    """Bytes a second that copying moves to and from memory, of larger arrays than caches hold; the best of five."""
    array, copy = np.ones(size, np.uint8), np.empty(size, np.uint8)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(copy, array)
        best = min(best, time.perf_counter() - start)
    return 2 * size / best


def blocks(facts: Facts) -> list[Block]:
    profile = facts.parts.get("operations")
    if not profile or not profile.per_op.operations:
        return []
    found = profile.per_op
    longest = max(*(row.median_ms for row in found.operations), found.rest_ms)
    numbered = list(enumerate(found.operations, start=1))
    ordered = sorted(numbered, key=lambda pair: -pair[1].median_ms)
    bars = [_bar(number, row, longest) for number, row in ordered[:SHOWN]]
    if ordered[SHOWN:]:
        left = sum(row.median_ms for _, row in ordered[SHOWN:])
        bars.append(Bar(f"{len(ordered) - SHOWN} more", milliseconds(left), min(1.0, left / longest)))
    rest = max(found.rest_ms, 0.0)
    bars.append(Bar("outside of the delegate", milliseconds(rest), rest / longest, "rest"))
    threads = f"{found.threads} thread{'s' * (found.threads > 1)}"
    inside = milliseconds(sum(row.median_ms for row in found.operations))
    intro = (
        f"One image, {threads}: {milliseconds(found.total_ms)}, of which the delegate's {len(found.operations)} "
        f"operations take {inside}. The rest is stock TensorFlow Lite: float layers, and starting. "
        "Operations are numbered as they run; a w after a shape means words of 32 bits."
    )
    shown: list[Block] = [Intro(intro), Bars(bars)]
    products = [(number, row) for number, row in numbered if row.macs_per_cycle and row.bound_macs_per_cycle]
    return shown + (_roofline(products, profile) if products and found.clock_ghz else [])


def _bar(number: int, row: Operation, longest: float) -> Bar:
    shape = _shape(row.outputs[0]) if row.outputs else ""
    text = f"{milliseconds(row.median_ms)}, {row.share:.0%}" if row.share >= 0.01 else milliseconds(row.median_ms)
    return Bar(f"{number}: {row.op} → {shape}", text, row.median_ms / longest)


def traffic(row: Operation) -> float:
    """Bytes that a binary convolution reads and writes at least: its inputs, its outputs, a bit a weight.

    It has as many weights as multiply-accumulates a pixel of its output.
    """
    moved = sum(int(np.prod(value.shape)) * BYTES.get(value.type, 4) for value in (*row.inputs, *row.outputs))
    pixels = int(np.prod(row.outputs[0].shape[1:3]))
    return moved + row.binary_macs / pixels / 8


def _roofline(products: list[tuple[int, Operation]], profile: Profile) -> list[Block]:
    bound = products[0][1].bound_macs_per_cycle
    slope = profile.bytes_per_second / (1e9 * profile.per_op.clock_ghz)  # bytes a cycle
    dots, rows = [], []
    for number, row in products:
        intensity = row.binary_macs / traffic(row)
        share = f"{row.share_of_bound:.0%}"
        title = f"{number}: {row.kernel}, {row.macs_per_cycle:.1f} MAC/cycle, {share} of the bound"
        dots.append(Dot(intensity, row.macs_per_cycle, title))
        name = f"{number}: {_shapes(row)}"
        rows.append(
            Row(
                (
                    name,
                    row.kernel,
                    short(row.binary_macs),
                    f"{intensity:.0f}",
                    f"{row.macs_per_cycle:.1f}",
                    share,
                )
            )
        )
    low, high = min(dot.x for dot in dots), max(dot.x for dot in dots)
    ridge = bound / slope
    left, right = min(low, ridge) / 2, max(high, ridge) * 2
    lines = [
        Line([(left, left * slope), (ridge, bound)], f"memory: {slope:.1f} bytes/cycle, measured by copying", "train"),
        Line([(ridge, bound), (right, bound)], f"kernel: {bound:.0f} MAC/cycle, what its instructions allow"),
    ]
    drawn = plot(
        "Binary convolutions under the roofline",
        Axis("multiply-accumulates a byte that is read or written", logarithmic=True),
        Axis("binary multiply-accumulates a cycle", logarithmic=True),
        dots,
        lines,
    )
    headings = columns(("operation", "kernel", "MACs", "MAC/byte", "MAC/cycle", "of bound"))
    headings[:2] = [dataclasses.replace(heading, align="shape") for heading in headings[:2]]
    text = (
        "A dot is a binary convolution: the farther right, the more it does with a byte; the higher, the more it does "
        "in a cycle. No kernel gets above the horizontal line. What lies above the sloped one has its data in caches."
    )
    return [
        Plots([drawn]),
        Intro(text),
        Table("Binary convolutions", headings, rows),
    ]


def _shapes(row: Operation) -> str:
    return " → ".join(_shape(values[0]) for values in (row.inputs, row.outputs) if values)


def _shape(value: Any) -> str:
    return "×".join(map(str, value.shape[1:])) + ("w" if value.type == "bits" else "")
