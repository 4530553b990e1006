"""How long an inference takes beside that of the float twin."""

from __future__ import annotations

from tflbnn.analysis.report.blocks import Absent, Bar, Bars, Block, Intro, Row, Table, columns
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import milliseconds
from tflbnn.analysis.units import size

TITLE = "Latency and file size beside the float twin"


def blocks(facts: Facts) -> list[Block]:
    latency = facts.latency
    if not latency:
        return [Absent(f"No latency: {facts.missing}")]
    names = (f"binary, delegate ({latency.kernel})", "float twin, XNNPACK")
    timings = (latency.model, latency.twin)
    longest = max(timing.median_ms for timing in timings)
    threads = f"{latency.threads} thread{'s' * (latency.threads > 1)}"
    intro = (
        f"One image, {threads}, stock TensorFlow Lite. Both models ran in turn in one process; "
        f"the binary one is {latency.ratio:.2f} times as fast. The float twin is the same network with every layer in "
        "full precision."
    )
    bars = [
        Bar(name, milliseconds(timing.median_ms), timing.median_ms / longest, kind)
        for name, kind, timing in zip(names, ("binary", "rest"), timings, strict=True)
    ]
    rows = [
        Row((name, *map(milliseconds, (timing.median_ms, timing.p90_ms, timing.best_ms)), size(count)))
        for name, timing, count in zip(names, timings, (facts.model_bytes, latency.twin_bytes), strict=True)
    ]
    headings = columns(("model", "median", "90th percentile", "best", "file size"))
    return [Intro(intro), Bars(bars), Table("Latency and file size", headings, rows)]
