"""tflbnn tune: search a recipe's fields with Keras Tuner."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn import training
    from tflbnn.tuning import Plan, Row, Search, Settings

SHOWN = 25  # trials in the table; trials.csv has them all


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A finished search; `run` is the best configuration, trained in full.

    `score` says what the accuracies are: "accuracy", or "mAP" of a detector.
    """

    search: str
    recipe: str
    tuner: str
    trials: list[Row]
    best: Row
    run: str
    test_accuracy: float
    validation_accuracy: float
    table: str
    picture: str
    score: str

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        completed = [row for row in self.trials if row.val_accuracy is not None]
        failed = [row for row in self.trials if row.val_accuracy is None]
        shown = sorted(completed, key=lambda row: -row.val_accuracy)[:SHOWN]
        table = Table(title=f"{self.recipe}: {len(self.trials)} trials, {self.tuner}", title_justify="left")
        names = _names(self.best.values)
        for heading in ("trial", "epochs", *names.values(), f"val {self.score}", "parameters", "size kB", "s"):
            table.add_column(heading, justify="right")
        table.add_column("front", justify="center")
        for row in shown:
            table.add_row(
                _number(row),
                str(row.epochs),
                *(escape(_text(row.values[key])) for key in names),
                f"{row.val_accuracy:.2%}",
                f"{row.parameters:,}",
                f"{row.size_bytes / 1000:.1f}",
                f"{row.seconds:.1f}",
                "●" if row.pareto else "",
                style="bold green" if row.trial == self.best.trial else None,
            )
        console.print(table)
        if len(completed) > len(shown):
            console.print(
                f"{len(completed) - len(shown)} less accurate trials are in {escape(self.table)}", style="dim"
            )
        for row in failed[:SHOWN]:
            console.print(f"[yellow]trial {row.trial} failed[/]  {escape(_values(row.values))}  {escape(row.reason)}")
        summary = Table(box=None, show_header=False, pad_edge=False)
        summary.add_row("best, trained in full", f"test {self.score} [bold green]{self.test_accuracy:.2%}[/]")
        for name, path in (("run", self.run), ("trials", self.table), ("picture", self.picture)):
            summary.add_row(name, escape(path))
        console.print(summary)
        console.print(f"next: tflbnn export {escape(self.run)}", soft_wrap=True, style="dim")


def _names(values: dict[str, Any]) -> dict[str, str]:
    from tflbnn.tuning.results import short_keys

    return short_keys(list(values))


def _number(row: Row) -> str:
    return f"{row.trial} from {row.continues}" if row.continues else str(row.trial)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _values(values: dict[str, Any]) -> str:
    return " ".join(f"{name}={_text(values[key])}" for key, name in _names(values).items())


class Screen:
    """Shows a search on standard error: a line for each trial that ended, then a bar of trials and one of epochs.

    It is told what `tflbnn.tuning.Progress` lists: `with Screen() as screen: search(..., progress=screen)`.
    """

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        from tflbnn.cli._command import console

        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[values]}"),
            TimeElapsedColumn(),
            console=console(stderr=True),
        )
        self.trials: Any = None
        self.epochs: Any = None
        self.before = 0

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *raised: object) -> None:
        if self.trials is not None:
            self.bars.stop()

    def _print(self, text: str) -> None:
        self.bars.console.print(text, soft_wrap=True)

    def planned(self, plan: Plan) -> None:
        self.bars.start()
        self._print(f"{plan.trials} trials, {plan.epochs} epochs altogether, the longest training {plan.longest}")
        self.trials = self.bars.add_task("trials", total=plan.trials, values="")

    def trial_started(self, number: int, values: dict[str, Any], first: int, last: int) -> None:
        self.bars.update(self.trials, completed=number - 1)
        self._epochs(f"trial {number}", values, first, last)

    def _epochs(self, description: str, values: dict[str, Any], first: int, last: int) -> None:
        from rich.markup import escape

        if self.epochs is not None:
            self.bars.remove_task(self.epochs)
        self.before = first - 1
        self.epochs = self.bars.add_task(description, total=last - self.before, values=escape(_values(values)))

    def trained(self, state: training.Progress) -> None:
        self.bars.update(self.epochs, completed=state.epoch - 1 + state.step / state.steps - self.before)

    def trial_ended(self, row: Row, best: Row | None) -> None:
        from rich.markup import escape

        if row.reason is None:
            epochs = f"{row.epochs} epoch{'s' if row.epochs > 1 else ''}"
            text = (
                f"{row.val_accuracy:7.2%}  {row.size_bytes / 1000:8.1f} kB  {epochs:>9}  {escape(_values(row.values))}"
            )
        else:
            text = f"[yellow]failed[/]  {escape(_values(row.values))}  {escape(row.reason)}"
        self._print(f"{'trial ' + _number(row):<16}{text}")
        so_far = f"best {best.val_accuracy:.2%}, trial {best.trial}" if best else ""
        self.bars.update(self.trials, completed=row.trial, values=so_far)

    def best_started(self, best: Row, epochs: int) -> None:
        self.bars.update(self.trials, completed=self.bars.tasks[0].total, values=f"best {best.val_accuracy:.2%}")
        self._epochs(f"trial {best.trial} in full", best.values, 1, epochs)


def _settings(
    name: str,
    words: list[str],
    tuner: str | None,
    max_epochs: int | None,
    trials: int | None,
    out: Path | None,
    resume: bool,
) -> Settings:
    """What is asked for; to resume, what the search in the folder was asked for, with the same words or fewer."""
    from tflbnn import recipes
    from tflbnn.errors import UserError
    from tflbnn.tuning import Settings, parse_space
    from tflbnn.tuning.settings import FILE

    recipe = recipes.get(name)
    if not resume:
        return Settings(parse_space(recipe, words), tuner or "hyperband", max_epochs, trials)
    if out is None:
        raise UserError(
            "--resume needs the search folder. Received: no --out. Add --out with the folder of the search."
        )
    if not (out / FILE).is_file():
        raise UserError(f"There is no search to resume in {out}. Leave --resume out to start one there.")
    old = Settings.read(out)
    if old.space.recipe.name != name:
        raise UserError(
            f"A search is resumed with the recipe it was started with. Received: {name} for {out}, which is a search "
            f"of {old.space.recipe.name}. Write: tflbnn tune {old.space.recipe.name} --resume --out {out}"
        )
    return Settings(
        parse_space(recipe, words) if words else old.space,
        tuner or old.tuner,
        old.max_epochs if max_epochs is None else max_epochs,
        old.trials if trials is None else trials,
    )


@_command
def command(
    recipe: Annotated[str, typer.Argument(help="A name from: tflbnn list recipes", show_default=False)],
    space: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUES",
            help="What to search, growth_rate=8,16,32 t_clip=0.25..2.0 learning_rate=1e-4..1e-2:log, or to fix, "
            "epochs=5. Left out: what the recipe declares tunable.",
            show_default=False,
        ),
    ] = None,
    tuner: Annotated[
        str | None,
        typer.Option("--tuner", help="hyperband (default), random, bayesian or grid.", show_default=False),
    ] = None,
    max_epochs: Annotated[
        int | None,
        typer.Option(
            "--max-epochs",
            help="hyperband: its longest training, which decides the number of trials. Left out: the recipe's epochs.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", help="The other tuners: how many. Left out: 10; grid: all.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The search folder. Left out: runs/RECIPE-tune-TIME.", show_default=False),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the data set's files are.", show_default=False)
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="64 images, two trials: shows that it runs.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the search in --out.")] = False,
) -> Tuned:
    """Search a recipe's fields with Keras Tuner; trains the best configuration in full."""
    import shlex
    import time

    from tflbnn.training.scores import score_of
    from tflbnn.tuning import search
    from tflbnn.tuning.settings import FILE

    wanted = _settings(recipe, space or [], tuner, max_epochs, trials, out, resume)
    out = out or Path("runs") / f"{recipe}-tune-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        with Screen() as screen:
            found: Search = search(
                wanted.space,
                out,
                tuner=wanted.tuner,
                max_epochs=wanted.max_epochs,
                trials=wanted.trials,
                data_dir=data_dir,
                resume=resume,
                smoke=smoke,
                progress=screen,
            )
    except KeyboardInterrupt as interrupt:
        if not (out / FILE).is_file():
            raise
        data_option = f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
        raise KeyboardInterrupt(
            f"interrupted; resume with: tflbnn tune {recipe} --resume --out {shlex.quote(str(out))}{data_option}"
        ) from interrupt
    score, tested = score_of(found.run.metrics, "test")
    return Tuned(
        search=str(found.path),
        recipe=recipe,
        tuner=wanted.tuner,
        trials=list(found.rows),
        best=found.best,
        run=str(found.run.path),
        test_accuracy=tested,
        validation_accuracy=found.run.history[-1][f"val_{score.name}"],
        table=str(found.path / "trials.csv"),
        picture=str(found.path / "trials.png"),
        score=score.text,
    )
