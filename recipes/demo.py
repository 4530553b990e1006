"""The main job, end to end: `python -m tflbnn.recipes.demo`, or `make demo`.

Keras Tuner searches the growth rate and t_clip of a small BinaryDenseNet on handwritten digits, keras fit trains the
best, the converter makes a verified flatbuffer of it, and stock TensorFlow Lite runs that through the delegate,
timed beside its float twin. Each step calls what the command of the same name calls: tune, export, report.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.analysis.report.units import milliseconds, percent
from tflbnn.analysis.units import size
from tflbnn.cli._command import command as _command
from tflbnn.cli._command import plain

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn import training
    from tflbnn.tuning import Plan, Row

SPACE = ("growth_rate=8,16,32", "t_clip=0.25..2.0")
MAX_EPOCHS = 8  # decides the number of trials: 10; from 9 on they are 23 or more
STEPS = 5


@dataclasses.dataclass(frozen=True)
class Demo:
    """What came out. The latencies are medians of one image on one thread, measured in turn in one process."""

    accuracy: float
    size_bytes: int
    latency_ms: float
    float_latency_ms: float
    trials: int
    verified: bool
    model: str
    report: str

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
        table.add_column(style="dim")
        table.add_column(justify="right", style="bold")
        table.add_column()
        table.add_row("test accuracy", percent(self.accuracy), "of the exported model, on images it has never seen")
        table.add_row("model size", size(self.size_bytes), f"the best of {self.trials} trials")
        table.add_row("latency", milliseconds(self.latency_ms), "one image, one thread, with the delegate")
        table.add_row("float twin", milliseconds(self.float_latency_ms), "the same network in float32, on XNNPACK")
        ratio = self.float_latency_ms / self.latency_ms
        table.add_row("ratio", f"{ratio:.2f}×", "as fast as the float twin")
        table.add_row(
            "verified", "yes" if self.verified else "NO", "the binary layers bit for bit, the rest to rounding"
        )
        console.print()
        console.print(table)
        console.print()
        console.print(f"report  {escape(self.report)}", soft_wrap=True)
        console.print(f"model   {escape(self.model)}", soft_wrap=True)
        console.print()
        print(json.dumps(plain(self)), flush=True)


class Narrator:
    """Tells on standard error what happens: a line with the time elapsed for what is done, a spinner for what is not.

    It is told a search's progress as `tflbnn.tuning.Progress` lists it.
    """

    def __init__(self, console: Console) -> None:
        self.console, self.started, self.number = console, time.monotonic(), 0
        self.status = console.status("")

    def step(self, text: str) -> None:
        """The next of the STEPS begins."""
        self.number += 1
        self._line(f"[bold]{self.number}/{STEPS}  {text}[/]")
        self.now(text)

    def tell(self, text: str) -> None:
        """Something is done."""
        self._line(f"     {text}")

    def now(self, text: str) -> None:
        """What happens until the next call."""
        self.status.update(f"[dim]{text} …[/]")

    def _line(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        self.console.print(f"[dim]{minutes}:{seconds:02d}[/]  {text}", soft_wrap=True)

    def planned(self, plan: Plan) -> None:
        self.tell(f"{plan.trials} trials, {plan.epochs} epochs in all, judged on the validation images")
        self.trials = plan.trials

    def trial_started(self, number: int, values: dict[str, Any], first: int, last: int) -> None:
        self.doing = f"trial {number} of {self.trials}"
        self.now(self.doing)

    def trained(self, state: training.Progress) -> None:
        if state.done:
            self.now(f"{self.doing}: epoch {state.epoch} done, accuracy {percent(state.values['val_accuracy'])}")
        if state.done and self.number == 3 and (state.epoch % 5 == 0 or state.epoch == state.epochs):
            loss, accuracy = state.values["loss"], percent(state.values["val_accuracy"])
            self.tell(f"epoch {state.epoch:2}/{state.epochs}  loss {loss:.4f}  accuracy {accuracy:>6}")

    def trial_ended(self, row: Row, best: Row | None) -> None:
        what = f"trial {row.trial:2}/{self.trials}  {_values(row):<28}"
        if row.val_accuracy is None:
            self.tell(f"{what}  failed: {row.reason}")
        else:
            epochs = f"{row.epochs} epoch{'s' * (row.epochs > 1)}"
            self.tell(f"{what}  {epochs:>8}  accuracy {percent(row.val_accuracy):>6}")

    def best_started(self, best: Row, epochs: int) -> None:
        self.step(f"training the best in full: {_values(best)}, {epochs} epoch{'s' * (epochs > 1)}")
        self.doing = "training"


def _values(row: Row) -> str:
    return " ".join(f"{key.rpartition('.')[2]}={value}" for key, value in row.values.items())


def run(out: Path, smoke: bool, narrator: Narrator) -> Demo:
    """The five steps.

    Raises:
        UserError: the folder is taken or cannot be written, or the model cannot be measured.
        VerificationError: the flatbuffer does not compute what the trained network does.
    """
    from tflbnn import recipes
    from tflbnn.analysis import report
    from tflbnn.errors import UserError
    from tflbnn.tuning import Settings, parse_space, search

    narrator.step("loading TensorFlow, Larq and Keras Tuner")
    from tflbnn import _keras  # noqa: F401  (now, so that its seconds count here)
    from tflbnn.tuning import tuner  # noqa: F401

    narrator.step("searching growth_rate and t_clip with Keras Tuner's Hyperband")
    space = parse_space(recipes.get("digits"), SPACE)
    found = search(Settings(space, max_epochs=MAX_EPOCHS), out, smoke=smoke, progress=narrator)
    narrator.step("converting to TensorFlow Lite and verifying")
    from tflbnn.converter import export

    exported = export(found.run, progress=narrator.now)
    binary = exported.verification_result["binary_layers"]
    narrator.tell(f"{binary} binary layers agree with Keras bit for bit; {size(exported.model.stat().st_size)}")
    narrator.step("measuring with the delegate beside the float twin, and writing the report")
    page, facts = report.write(found.run.path, rounds=3 if smoke else 50, progress=narrator.now)
    if not (facts.confusion and facts.latency and facts.verification):
        raise UserError(f"The demo measures what it exports. {' '.join(facts.notices)}")
    return Demo(
        accuracy=facts.confusion.accuracy,
        size_bytes=facts.model_bytes,
        latency_ms=facts.latency.model.median_ms,
        float_latency_ms=facts.latency.twin.median_ms,
        trials=len(found.rows),
        verified=facts.verification.get("verified") is True,
        model=str(found.run.model_tflite),
        report=str(page),
    )


@_command
def command(
    smoke: Annotated[
        bool, typer.Option("--smoke", help="64 images, two trials, one epoch: shows that it runs.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder to write; runs/demo-TIME when left out.", show_default=False),
    ] = None,
) -> Demo:
    """From handwritten digits to a verified 1-bit model that runs on stock TensorFlow Lite, in a few minutes."""
    from rich.console import Console

    from tflbnn.cli._quiet import without_remarks

    out = out or Path("runs") / f"demo-{time.strftime('%Y%m%d-%H%M%S')}"
    with open(os.dup(2), "w", encoding="utf-8") as stream, without_remarks():
        narrator = Narrator(Console(file=stream, highlight=False))
        with narrator.status:
            return run(out, smoke, narrator)


application = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
application.command()(command)

if __name__ == "__main__":
    from tflbnn.cli import main

    main(application=application)
