"""tflbnn train: keras fit a recipe into a run folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command
from tflbnn.cli._train_recipe import choose

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn.recipes import Recipe
    from tflbnn.training import Run


@dataclasses.dataclass(frozen=True)
class Served:
    """What a process has done that took part in a distributed training, whose chief has the run."""

    distribute: str

    def render(self, console: Console) -> None:
        console.print("The chief has ended; its --out holds the run.")


@dataclasses.dataclass(frozen=True)
class Trained:
    """A finished run; `already_finished` when there was nothing left to do. Accuracies or mAPs, whatever its task."""

    run: str
    recipe: str
    epochs: int
    test_loss: float
    parameters: int
    history: list[dict[str, float]]
    already_finished: bool
    test_accuracy: float | None = None
    test_top5_accuracy: float | None = None
    validation_accuracy: float | None = None
    test_map: float | None = None
    validation_map: float | None = None
    pretraining: dict[str, Any] = dataclasses.field(default_factory=dict)

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False)
        if self.test_map is None:
            table.add_row("test accuracy", f"[bold green]{self.test_accuracy:.2%}[/]")
            if self.test_top5_accuracy is not None:
                table.add_row("test top-5 accuracy", f"{self.test_top5_accuracy:.2%}")
            table.add_row("validation accuracy", f"{self.validation_accuracy:.2%}")
        else:
            table.add_row("test mAP@0.5", f"[bold green]{self.test_map:.2%}[/]")
            table.add_row("validation mAP@0.5", f"{self.validation_map:.2%}")
        table.add_row("epochs", str(self.epochs))
        table.add_row("parameters", f"{self.parameters:,}")
        for key, value in self._start().items():
            table.add_row(key, escape(value))
        table.add_row("run", escape(self.run))
        if self.already_finished:
            console.print("This run was finished already.")
        console.print(table)
        console.print(f"next: tflbnn export {escape(self.run)}", soft_wrap=True, style="dim")

    def _start(self) -> dict[str, str]:
        """What came of the stage before, and what of it did not match."""
        if not self.pretraining:
            return {}
        rows = {"pretraining": f"{self.pretraining['matched']} variables taken from {self.pretraining['source']}"}
        words = {"new": "not in it", "unused": "only in it", "reshaped": "of another shape"}
        for key, text in words.items():
            if names := self.pretraining[key]:
                more = f" and {len(names) - 3} more (pretraining.json)" if len(names) > 3 else ""
                rows[f"  {text}"] = ", ".join(names[:3]) + more
        return rows


class _Display:
    """Progress on standard error: a bar in a terminal, elsewhere a line an epoch."""

    def __init__(self, epochs: int):
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        from tflbnn.cli._command import console

        self.console = console(stderr=True)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[values]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.epochs, self.validated, self.stage = epochs, "", -1
        self.task = self.bar.add_task("loading", total=None, values="")

    def __call__(self, progress: Any) -> None:
        from tflbnn.training.scores import score_of

        values, before = progress.values, (progress.epoch - 1) * progress.steps
        if validated := score_of(values, "val"):
            score, value = validated
            self.validated = f"  val {score.text} {value:.2%}"
        if self.stage != progress.stage:
            # The estimate of what is left starts here: loading and compiling do not count.
            self.stage, self.epochs = progress.stage, progress.epochs
            self.bar.reset(self.task, total=self.epochs * progress.steps, completed=before)
        epoch = f"{'pretraining, ' if progress.stage else ''}epoch {progress.epoch}/{self.epochs}"
        accuracy = f"  accuracy {values['accuracy']:.2%}" if "accuracy" in values else ""
        text = f"loss {values['loss']:.4f}{accuracy}{self.validated}"
        self.bar.update(self.task, completed=before + progress.step, description=epoch, values=text)
        if self.bar.disable and progress.done:
            self.console.print(f"{epoch}  {text}")


def _train(recipe: Recipe, out: Path, distribute: str | None, options: dict[str, Any]) -> Run | None:
    """The finished run; None in a process that only takes part in a distributed training."""
    if distribute is not None:
        from tflbnn.training.distributed import train_distributed

        return train_distributed(recipe, out, distribute, **options)
    from tflbnn.training.fit import train

    return train(recipe, out, **options)


@_command
def command(
    recipe: Annotated[str | None, typer.Argument(help="A name from: tflbnn list recipes", show_default=False)] = None,
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Fields to change: t_clip=0.5 epochs=3", show_default=False),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The run folder; runs/RECIPE-TIME when left out.", show_default=False)
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the data set's files are.", show_default=False)
    ] = None,
    from_trial: Annotated[
        tuple[Path, int] | None,
        typer.Option(
            "--from-trial",
            metavar="SEARCH TRIAL",
            help="In the place of RECIPE: what a trial of tflbnn tune trained.",
            show_default=False,
        ),
    ] = None,
    distribute: Annotated[
        str | None,
        typer.Option(
            "--distribute",
            help="mirrored (this machine's devices), multi-worker or parameter-server (the processes of TF_CONFIG).",
            show_default=False,
        ),
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="64 images, one epoch: shows that it runs.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out.")] = False,
) -> Trained | Served:
    """Train a recipe with keras fit; writes a run folder.

    How it computes is set by fields as well. Their defaults:
    precision=float32: mixed_bfloat16 computes in half of the bits; auto does so for binary classifiers where it is
    faster, on processors with AMX.
    jit_compile=false: true compiles the steps with XLA.
    steps_per_execution=1: how many steps one call of TensorFlow does.
    """
    import shlex
    import time

    from tflbnn.training import Run
    from tflbnn.training.scores import score_of

    chosen = choose(recipe, changes or [], out, resume, from_trial)
    out = out or Path("runs") / f"{chosen.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    already_finished = resume and (out / "metrics.json").exists()
    display = _Display(1 if smoke else chosen.epochs)
    try:
        options = {"resume": resume, "smoke": smoke, "data_dir": data_dir, "progress": display}
        with display.bar:
            run = _train(chosen, out, distribute, options)
        if run is None:
            return Served(distribute)
    except KeyboardInterrupt as interrupt:
        if not (out / "recipe.json").is_file():
            raise
        done = len(Run.open(out).history)
        data_option = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
        raise KeyboardInterrupt(
            f"interrupted after {done} of {chosen.epochs} epochs; resume with: "
            f"tflbnn train {chosen.name} --resume --out {shlex.quote(str(out))}{data_option}"
        ) from interrupt
    score, tested = score_of(run.metrics, "test")
    return Trained(
        run=str(run.path),
        recipe=run.recipe.name,
        epochs=len(run.history),
        test_loss=run.metrics["test_loss"],
        parameters=run.metrics["parameters"],
        history=run.history,
        already_finished=already_finished,
        pretraining=run.start,
        test_top5_accuracy=run.metrics.get("test_top5_accuracy"),
        **{f"test_{score.name}": tested, f"validation_{score.name}": run.history[-1][f"val_{score.name}"]},
    )
