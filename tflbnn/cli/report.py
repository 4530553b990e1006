"""tflbnn report: one self-contained HTML page about a run, or about several beside each other."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console


@dataclasses.dataclass(frozen=True)
class Report:
    """Where the page is and its main figures; None for what the run does not have."""

    report: str
    run: str
    test_accuracy: float | None
    size_bytes: int | None
    latency_ms: float | None
    float_latency_ms: float | None
    verified: bool | None
    notices: list[str]
    test_map: float | None = None

    def render(self, console: Console) -> None:
        from rich.markup import escape

        for notice in self.notices:
            console.print(f"[yellow]note[/]    {escape(notice)}", soft_wrap=True)
        console.print(f"report  {escape(self.report)}", soft_wrap=True)


@dataclasses.dataclass(frozen=True)
class ComparedRun:
    """A run in a comparison; None for what it does not have."""

    name: str
    run: str
    score: float | None
    size_bytes: int | None
    latency_ms: float | None
    operations: float | None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Where the page is, and the runs it compares."""

    report: str
    runs: list[ComparedRun]
    notices: list[str]

    def render(self, console: Console) -> None:
        from rich.markup import escape

        for notice in self.notices:
            console.print(f"[yellow]note[/]    {escape(notice)}", soft_wrap=True)
        console.print(f"report  {escape(self.report)}", soft_wrap=True)


def _compare(runs: list[Path], output: Path | None, data_dir: Path | None, threads: int) -> Comparison:
    from tflbnn.analysis import report
    from tflbnn.cli._quiet import quiet_status

    with quiet_status("opening the runs") as progress:
        page, found, notices = report.compare(runs, output, data_dir=data_dir, threads=threads, progress=progress)
    rows = [
        ComparedRun(
            name=one.name,
            run=str(one.run.path),
            score=one.score,
            size_bytes=one.file_bytes,
            latency_ms=one.timing.median_ms if one.timing else None,
            operations=one.counts.operations if one.counts else None,
        )
        for one in found
    ]
    return Comparison(str(page), rows, notices)


def _ensemble(run: Path, output: Path | None, threads: int) -> Report:
    from tflbnn._files import read_json
    from tflbnn.analysis.report.ensemble import write_ensemble
    from tflbnn.cli._quiet import quiet_status

    with quiet_status("opening the ensemble") as progress:
        page, opened, timings = write_ensemble(run, output, threads=threads, progress=progress)
    exported = opened.model_tflite.is_file()
    found = (
        read_json(opened.verification_json, "verification") if exported and opened.verification_json.is_file() else None
    )
    return Report(
        report=str(page),
        run=str(run),
        test_accuracy=opened.metrics.get("test_accuracy"),
        size_bytes=opened.model_tflite.stat().st_size if exported else None,
        latency_ms=timings["ensemble"].median_ms if timings else None,
        float_latency_ms=None,
        verified=found.get("verified") is True if isinstance(found, dict) else None,
        notices=[],
    )


@_command
def command(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="A run folder, or several to compare.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The page; by default RUN/report.html, of several comparison.html beside the first.",
            show_default=False,
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="A folder with the data set's files.", show_default=False)
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help="Threads of an inference in the measurement.")] = 1,
) -> Report | Comparison:
    """One HTML page about a run: curves, confusion, layers, latency beside the float twin, where the time goes, the
    roofline, pictures, verification. About several runs: what differs and what came out."""
    if len(runs) > 1:
        return _compare(runs, output, data_dir, threads)
    run = runs[0]
    from tflbnn.analysis import report
    from tflbnn.cli._quiet import quiet_status
    from tflbnn.ensembles import EnsembleRun

    if EnsembleRun.is_one(run):
        return _ensemble(run, output, threads)
    with quiet_status("opening the run") as progress:
        page, facts = report.write(run, output, data_dir=data_dir, threads=threads, progress=progress)
    latency, verification = facts.latency, facts.verification
    return Report(
        report=str(page),
        run=str(run),
        test_accuracy=facts.metrics.get("test_accuracy"),
        size_bytes=facts.model_bytes,
        latency_ms=latency.model.median_ms if latency else None,
        float_latency_ms=latency.twin.median_ms if latency else None,
        verified=verification.get("verified") is True if verification is not None else None,
        notices=list(facts.notices),
        test_map=facts.metrics.get("test_map"),
    )
