"""tflbnn ensemble: several networks of a recipe that vote, in one folder."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command
from tflbnn.cli._train_recipe import named
from tflbnn.ensembles.settings import METHODS

if TYPE_CHECKING:
    from rich.console import Console

    from tflbnn.ensembles.settings import Settings
    from tflbnn.recipes import Recipe


@dataclasses.dataclass(frozen=True)
class Ensembled:
    """A finished ensemble: test accuracies of the members and of their votes, as the first one, two, ... vote."""

    run: str
    recipe: str
    method: str
    members: int
    asked: int
    test_accuracy: float
    validation_accuracy: float
    test_members: list[float]
    test_hard: list[float]
    test_soft: list[float]
    weights: list[float]
    diversity: dict[str, float]
    already_finished: bool

    def render(self, console: Console) -> None:
        from rich.markup import escape
        from rich.table import Table

        if self.already_finished:
            console.print("This ensemble was finished already.")
        table = Table(box=None, pad_edge=False)
        for column in ("members", "this one alone", "its weight", "all up to it, hard", "soft"):
            table.add_column(column, justify="right")
        for number, row in enumerate(zip(self.test_members, self.weights, self.test_hard, self.test_soft, strict=True)):
            alone, weight, hard, soft = row
            table.add_row(str(number + 1), f"{alone:.2%}", f"{weight:.3f}", f"{hard:.2%}", f"{soft:.2%}")
        console.print(table)
        if self.members < self.asked:
            console.print(f"Boosting ended after {self.members} of {self.asked} members: nothing was left to learn.")
        console.print(f"test accuracy        [bold green]{self.test_accuracy:.2%}[/]")
        console.print(f"validation accuracy  {self.validation_accuracy:.2%}")
        console.print(f"disagreement         {self.diversity['disagreement']:.2%}")
        console.print(f"run                  {escape(self.run)}", soft_wrap=True)
        console.print(f"next: tflbnn export {escape(self.run)}", soft_wrap=True, style="dim")


class _Display:
    """A line an epoch, on standard error."""

    def __init__(self, members: int) -> None:
        from tflbnn.cli._command import console

        self.console, self.members = console(stderr=True), members

    def __call__(self, number: int, state: Any) -> None:
        if state.done:
            what = f"member {number}/{self.members}" if number else "stage before"
            accuracy = f"val accuracy {state.values['val_accuracy']:.2%}"
            self.console.print(
                f"{what}  epoch {state.epoch}/{state.epochs}  loss {state.values['loss']:.4f}  {accuracy}"
            )


@_command
def command(
    recipe: Annotated[
        str | None, typer.Argument(help="A member: a name from tflbnn list recipes.", show_default=False)
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="Fields to change: t_clip=0.5 epochs=3", show_default=False),
    ] = None,
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "bagging",
    members: Annotated[
        int | None,
        typer.Option(min=1, help="How many vote; as the recipe's members say, or 5.", show_default=False),
    ] = None,
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Members start from the last one's weights.")
    ] = False,
    voting: Annotated[str, typer.Option(help="soft or hard.")] = "soft",
    reweighting: Annotated[
        str, typer.Option(help="sampling draws examples by their weights, loss multiplies by them.")
    ] = "sampling",
    last: Annotated[bool, typer.Option("--last", help="Members of the last epoch, not of the best validated.")] = False,
    configuration: Annotated[
        str | None,
        typer.Option(help="BENN table 2: SB, AB, WQB, AQB or IB, also SB-Tiny, SB-Nano, ...", show_default=False),
    ] = None,
    bits: Annotated[int, typer.Option(min=1, max=8, help="Q of WQB and AQB.")] = 2,
    from_trial: Annotated[
        tuple[Path, int] | None,
        typer.Option(
            "--from-trial",
            metavar="SEARCH TRIAL",
            help="In the place of RECIPE: what a trial of tflbnn tune trained.",
            show_default=False,
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Independent members at a time; -1 is all cores.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The folder; runs/RECIPE-METHOD-TIME when left out.", show_default=False),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the data set's files are.", show_default=False)
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="64 images, one epoch: shows that it runs.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the ensemble in --out, perhaps with more members.")
    ] = False,
) -> Ensembled:
    """Train several networks of a recipe that vote (BENN): bagging or boosting; writes a folder."""
    import shlex
    import time

    from tflbnn.ensembles.run import EnsembleRun
    from tflbnn.ensembles.settings import Settings

    named_recipe, changed = named(recipe, changes or [], from_trial)
    chosen = _configured(named_recipe, changed, configuration, bits)
    voters = members or (chosen.members if chosen.members > 1 else Settings().members)
    settings = Settings(method, voters, sequential, reweighting, voting, not last)  # type: ignore[arg-type]
    if resume:
        chosen, settings, out = _resumed(chosen.name, changed, settings, out, members)
    out = out or Path("runs") / f"{chosen.name}-{method}-{time.strftime('%Y%m%d-%H%M%S')}"
    if settings.ordered and jobs != 1:
        from tflbnn.errors import UserError

        raise UserError(
            f"Members that follow one another are trained one by one. Received: --jobs {jobs} for "
            f"{settings.method}{', sequential' * settings.sequential}. Leave it out, or bag independent members."
        )
    before = EnsembleRun.open(out) if resume and EnsembleRun.is_one(out) else None
    try:
        from tflbnn.ensembles.train import train_ensemble

        run = train_ensemble(
            chosen,
            settings,
            out,
            resume=resume,
            smoke=smoke,
            data_dir=data_dir,
            n_jobs=jobs,
            progress=_Display(settings.members),
        )
    except KeyboardInterrupt as interrupt:
        if not EnsembleRun.is_one(out):
            raise
        done = len(EnsembleRun.open(out).members)
        words = ["tflbnn", "ensemble", chosen.name, "--resume", "--out", str(out)]
        words += ["--data-dir", str(data_dir)] if data_dir else []
        raise KeyboardInterrupt(
            f"interrupted after {done} of {settings.members} members; resume with: {shlex.join(words)}"
        ) from interrupt
    metrics = run.metrics
    return Ensembled(
        run=str(run.path),
        recipe=run.recipe.name,
        method=run.settings.method,
        members=len(run.members),
        asked=run.settings.members,
        test_accuracy=metrics["test_accuracy"],
        validation_accuracy=metrics[f"validation_{run.settings.voting}"][-1],
        test_members=metrics["test_members"],
        test_hard=metrics["test_hard"],
        test_soft=metrics["test_soft"],
        weights=metrics["weights"],
        diversity=metrics["test_diversity"],
        already_finished=bool(before and before.finished and before.settings == run.settings),
    )


def _configured(recipe: Recipe, changes: dict[str, str], configuration: str | None, bits: int) -> Recipe:
    from tflbnn.ensembles.configurations import configure

    if configuration is not None:
        recipe = configure(recipe, configuration, bits)
    return recipe.override(changes)


def _resumed(
    name: str, changes: dict[str, str], settings: Settings, out: Path | None, members: int | None
) -> tuple[Recipe, Settings, Path]:
    """The ensemble as it was started, with more members where more are asked for."""
    from tflbnn.ensembles.run import EnsembleRun
    from tflbnn.ensembles.settings import Settings
    from tflbnn.errors import UserError

    if out is None:
        raise UserError("--resume needs the folder. Received: no --out. Add --out with the folder of the ensemble.")
    if not EnsembleRun.is_one(out):
        raise UserError(f"There is no ensemble to resume in {out}. Leave --resume out to start one there.")
    run = EnsembleRun.open(out)
    if run.recipe.name != name:
        raise UserError(
            f"An ensemble is resumed with the recipe it was started with. Received: {name} for {out}, which is "
            f"one of {run.recipe.name}. Write: tflbnn ensemble {run.recipe.name} --resume --out {out}"
        )
    for field, default in Settings().to_dict().items():
        asked, known = getattr(settings, field), getattr(run.settings, field)
        if field != "members" and asked not in (default, known):
            raise UserError(
                f"An ensemble is resumed with what it was started with. Received: {field}={asked}, where it was "
                f"{known}. Leave that out, or choose another --out."
            )
    members = max(members or 1, run.settings.members)
    return run.recipe.override(changes), dataclasses.replace(run.settings, members=members), out
