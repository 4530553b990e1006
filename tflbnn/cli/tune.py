"""tflbnn tune: search a recipe's fields with Keras Tuner."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tflbnn.cli._command import command as _command
from tflbnn.cli._tuned import Tuned, Worked

if TYPE_CHECKING:
    from tflbnn.tuning import LatencyTable, Search, Settings


def _settings(name: str, words: list[str], out: Path | None, resume: bool, asked: dict[str, Any]) -> Settings:
    """What is asked for; to resume, what the search in the folder was asked for, with the same words or fewer."""
    from tflbnn import recipes
    from tflbnn.errors import UserError
    from tflbnn.tuning import Settings, parse_space
    from tflbnn.tuning.settings import FILE

    recipe = recipes.get(name)
    if not resume:
        several = len(asked.get("objectives", ())) > 1
        return Settings(parse_space(recipe, words), **{"tuner": "bayesian" if several else "hyperband", **asked})
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
    return dataclasses.replace(old, **asked, **({"space": parse_space(recipe, words)} if words else {}))


def _asked(
    tuner: str | None,
    max_epochs: int | None,
    trials: int | None,
    objective: str | None,
    constraint: str | None,
    latency_table: Path | None,
    baselines: bool | None,
) -> tuple[dict[str, Any], LatencyTable | None]:
    """The settings that were named, and the latency table that was."""
    from tflbnn.tuning import LatencyTable, parse_constraints, parse_objectives

    table = None if latency_table is None else LatencyTable.read(latency_table)
    asked = {
        "tuner": tuner,
        "max_epochs": max_epochs,
        "trials": trials,
        "objectives": None if objective is None else parse_objectives(objective),
        "constraints": None if constraint is None else parse_constraints(constraint),
        "latency": None if table is None else "predicted",
        "baselines": baselines,
    }
    return {name: value for name, value in asked.items() if value is not None}, table


@_command
def command(
    recipe: Annotated[str, typer.Argument(help="A name from: tflbnn list recipes", show_default=False)],
    space: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUES",
            help="What to search, growth_rate=8,16,32 t_clip=0.25..2.0 learning_rate=1e-4..1e-2:log "
            "network.name=quicknet,binary_densenet, or to fix, epochs=5. Left out: what the recipe declares tunable.",
            show_default=False,
        ),
    ] = None,
    tuner: Annotated[
        str | None,
        typer.Option(
            "--tuner", help="hyperband (default), random, bayesian (default of a front) or grid.", show_default=False
        ),
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
    objective: Annotated[
        str | None,
        typer.Option("--objective", help="A front of accuracy and costs: accuracy,latency,size", show_default=False),
    ] = None,
    constraint: Annotated[
        str | None,
        typer.Option("--constraint", help='What a network may cost: "latency<=5ms size<=500KB"', show_default=False),
    ] = None,
    latency_table: Annotated[
        Path | None,
        typer.Option(
            "--latency-table",
            help="Predict latencies by a table of tflbnn calibrate. Left out: each trial is timed.",
            show_default=False,
        ),
    ] = None,
    baselines: Annotated[
        bool | None,
        typer.Option(
            "--baselines/--no-baselines",
            help="Train the float twin and a MobileNetV3 beside the trials. Left out: where a front is searched.",
            show_default=False,
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, max=256, help="Processes that train trials; 0: this one.")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="The search folder. Left out: runs/RECIPE-tune-TIME.", show_default=False),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Where the data set's files are.", show_default=False)
    ] = None,
    smoke: Annotated[bool, typer.Option("--smoke", help="64 images, two trials: shows that it runs.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the search in --out.")] = False,
) -> Tuned | Worked:
    """Search a recipe's fields for accuracy, or for a front of accuracy, latency and size.

    For accuracy alone the best configuration is trained in full at the end. Across machines, start this with Keras
    Tuner's variables KERASTUNER_TUNER_ID, KERASTUNER_ORACLE_IP and KERASTUNER_ORACLE_PORT; the channel between them
    has no authentication.
    """
    import os
    import shlex
    import time

    from tflbnn.cli._search_screen import Screen
    from tflbnn.training.scores import score_of
    from tflbnn.tuning import search
    from tflbnn.tuning.settings import FILE

    if "KERASTUNER_TUNER_ID" in os.environ:
        from tflbnn.tuning import channel

        role = channel.role()
        if role and not role.is_chief:
            from tflbnn.tuning.worker import work

            return Worked(role.name, role.address, work(role.name, role.address, out or Path("runs"), data_dir))
    asked, table = _asked(tuner, max_epochs, trials, objective, constraint, latency_table, baselines)
    wanted = _settings(recipe, space or [], out, resume, asked)
    out = out or Path("runs") / f"{recipe}-tune-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        with Screen() as screen:
            found: Search = search(
                wanted,
                out,
                latency_table=table,
                workers=workers,
                data_dir=data_dir,
                resume=resume,
                smoke=smoke,
                progress=screen,
            )
    except KeyboardInterrupt as interrupt:
        if not (out / FILE).is_file():
            raise
        options = f" --workers {workers}" if workers else ""
        options += f" --data-dir {shlex.quote(str(data_dir))}" if data_dir else ""
        raise KeyboardInterrupt(
            f"interrupted; resume with: tflbnn tune {recipe} --resume --out {shlex.quote(str(out))}{options}"
        ) from interrupt
    score, tested = score_of(found.run.metrics, "test") if found.run else (None, None)
    validated = found.best.val_accuracy
    if found.run is not None and score is not None:
        voted = found.run.metrics.get("validation_soft")  # by one, two, ... members
        validated = voted[-1] if voted else found.run.history[-1][f"val_{score.name}"]
    return Tuned(
        search=str(found.path),
        recipe=recipe,
        tuner=wanted.tuner,
        objectives=list(wanted.objectives),
        trials=list(found.rows),
        best=found.best,
        baselines=list(found.baselines),
        run=str(found.run.path) if found.run else None,
        test_accuracy=tested,
        validation_accuracy=validated,
        table=str(found.path / "trials.csv"),
        picture=str(found.path / "trials.png"),
        page=str(found.path / "front.html"),
        score=score.text if score else "accuracy",
    )
