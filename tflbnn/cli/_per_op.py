"""The per-operation part of tflbnn benchmark: where an inference's time goes."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 116  # columns of a terminal that shows kernels and MACs
WIDEST = 150  # and what is done to results before they reach memory
BAR = 20  # characters of the longest


@dataclasses.dataclass(frozen=True)
class Value:
    """What an operation reads or writes; the shape of bits counts words of 32 channels."""

    name: str
    type: str
    shape: list[int]


@dataclasses.dataclass(frozen=True)
class Operation:
    """One operation of the delegate; `share` is that of the inference's time. Medians."""

    partition: int
    index: int
    op: str
    stages: str
    inputs: list[Value]
    outputs: list[Value]
    kernel: str
    runs: int
    median_ms: float
    share: float
    binary_macs: int
    macs_per_cycle: float | None
    bound_macs_per_cycle: float | None
    share_of_bound: float | None


@dataclasses.dataclass(frozen=True)
class PerOp:
    """The delegate's operations and `rest_ms`, the time outside of them: TFLite's own operators, and copying."""

    name: str
    threads: int
    clock_ghz: float | None
    total_ms: float
    rest_ms: float
    operations: list[Operation]

    def render(self, console: Console) -> None:
        from rich import box
        from rich.markup import escape
        from rich.table import Table

        clock = f" at {self.clock_ghz:.2f} GHz" if self.clock_ghz else ""
        title = f"{escape(self.name)}, operation by operation: {self.total_ms:.3f} ms{clock}"
        table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("operation", no_wrap=True)
        table.add_column("shapes", overflow="fold", min_width=12)
        wide = console.width >= WIDE
        if wide:
            table.add_column("kernel", no_wrap=True)
        widest = console.width >= WIDEST
        if widest:
            table.add_column("stages", overflow="fold", min_width=12)
        for column in ("ms", "share"):
            table.add_column(column, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
        for column in (*(["MMAC"] if wide else []), "MAC/cycle", "of bound"):
            table.add_column(column, justify="right", no_wrap=True)
        table.caption, table.caption_justify = "w: words of 32 signs", "left"
        cells = max(4, min(BAR, console.width - (96 if wide else 76)))
        # The rest may take many times longer than any operation: its bar is cut then, and says so.
        longest = max((row.median_ms for row in self.operations), default=0.0) or self.total_ms or 1.0
        for row in self.operations:
            table.add_row(
                row.op,
                f"{_shapes(row.inputs)} → {_shapes(row.outputs)}",
                *([row.kernel] if wide else []),
                *([row.stages.replace(",", " ")] if widest else []),
                f"{row.median_ms:.3f}",
                f"{row.share:.1%}",
                f"[green]{_bar(row.median_ms / longest, cells)}[/]",
                *([_millions(row.binary_macs)] if wide else []),
                "" if row.macs_per_cycle is None else f"{row.macs_per_cycle:.1f}",
                "" if row.share_of_bound is None else f"{row.share_of_bound:.0%}",
            )
        table.add_section()
        for name, what, ms in (
            ("delegate", f"{len(self.operations)} operations", sum(row.median_ms for row in self.operations)),
            ("rest", "outside the delegate", max(self.rest_ms, 0.0)),
        ):
            macs = sum(row.binary_macs for row in self.operations) if name == "delegate" else 0
            share = f"{ms / self.total_ms:.1%}" if self.total_ms else ""
            bar = f"[dim]{_bar(ms / longest, cells)}[/]"
            kernel, millions = ([""] * (1 + widest), [_millions(macs)]) if wide else ([], [])
            table.add_row(name, what, *kernel, f"{ms:.3f}", share, bar, *millions, style="bold")
        console.print()
        console.print(table)


def _shapes(values: list[Value]) -> str:
    """Without the batch, which is 1."""
    return " + ".join("×".join(map(str, value.shape[1:])) + ("w" if value.type == "bits" else "") for value in values)


def _millions(macs: int) -> str:
    return f"{macs / 1e6:.2f}" if macs else ""


def _bar(part: float, cells: int) -> str:
    """A bar of so many cells at most, to an eighth of one."""
    if part > 1.001:
        return "█" * (cells - 1) + "▶"
    eighths = round(part * cells * 8)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def measure(path: Path, threads: int, rounds: int) -> PerOp:
    """Runs the model three times a round, once more to warm up, and sorts its time by operation."""
    import time

    import numpy as np

    from tflbnn.runtime import Model
    from tflbnn.runtime.benchmark import sample

    with Model(path, threads, profile=True) as model:
        feeds = sample(model)
        model.predict(feeds)
        seconds = []
        for _ in range(3 * rounds):
            start = time.perf_counter()
            model.predict(feeds)
            seconds.append(time.perf_counter() - start)
        profile = model.profile()
    total = 1e3 * float(np.median(seconds))
    operations = [_operation(row, total) for row in profile["operations"]]
    rest = total - sum(row.median_ms for row in operations)
    return PerOp(path.name, threads, profile["clock_ghz"], total, rest, operations)


def _operation(row: dict[str, Any], total: float) -> Operation:
    known = {field.name: row[field.name] for field in dataclasses.fields(Operation) if field.name in row}
    known |= {kind: [Value(**value) for value in row[kind]] for kind in ("inputs", "outputs")}
    return Operation(**known, share=row["median_ms"] / total)
