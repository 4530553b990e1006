"""The report of an ensemble: what each member adds, how much they differ, what all of them cost."""

from __future__ import annotations

import contextlib
import math
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tflbnn._files import atomic_write, read_json
from tflbnn.analysis.report import blocks
from tflbnn.analysis.report.page import fill
from tflbnn.analysis.report.plots import Axis, Dot, Line, plot
from tflbnn.analysis.report.reproduce import changes
from tflbnn.analysis.report.units import milliseconds, percent
from tflbnn.analysis.units import size
from tflbnn.ensembles.run import EnsembleRun
from tflbnn.runtime.benchmark import Timing


def write_ensemble(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    threads: int = 1,
    rounds: int = 20,
    progress: Callable[[str], None] = lambda step: None,
) -> tuple[Path, EnsembleRun, dict[str, Timing]]:
    """Writes the report of an ensemble's folder; returns where it is, the ensemble, and its and a member's latency.

    Args:
        out: the page; by default report.html in the folder.
        threads, rounds: of the latency measurement, where the ensemble is exported.
        progress: called with what happens next.

    Raises:
        UserError: there is no such ensemble, a member is damaged, or the page cannot be written.
    """
    run = EnsembleRun.open(path)
    timings = {}
    if run.finished and run.model_tflite.is_file():
        progress("measuring the latency beside one member's")
        timings = _latencies(run, threads, rounds)
    target = Path(out) if out is not None else run.path / "report.html"
    atomic_write(target, _page(run, timings, threads))
    return target, run, timings


def _latencies(run: EnsembleRun, threads: int, rounds: int) -> dict[str, Timing]:
    from tflbnn.converter.ensemble import members_of
    from tflbnn.runtime import Model
    from tflbnn.runtime.benchmark import alternate, sample

    content = run.model_tflite.read_bytes()
    with contextlib.ExitStack() as stack:
        whole = stack.enter_context(Model(content, threads))
        one = stack.enter_context(Model(members_of(content)[0], threads))
        feeds = sample(whole)
        return alternate({"ensemble": lambda: whole.predict(feeds), "member": lambda: one.predict(feeds)}, rounds)


def _page(run: EnsembleRun, timings: dict[str, Timing], threads: int) -> str:
    recipe, settings = run.recipe, run.settings
    kind = (
        f"{settings.method}, {'sequential' if settings.sequential else 'independent'} members, {settings.voting} votes"
    )
    notices = []
    if not run.finished:
        notices.append(
            f"{len(run.members)} of {settings.members} members are trained. Continue with: tflbnn ensemble "
            f"{recipe.name} --resume --out {run.path}"
        )
    elif len(run.members) < settings.members:
        notices.append(f"Boosting ended after {len(run.members)} of {settings.members} members.")
    sections: list[dict[str, Any]] = []
    if run.finished:
        sections = [
            {"id": "votes", "title": "Accuracy against members", "blocks": _votes(run)},
            {"id": "members", "title": "Members", "blocks": _members(run)},
            {"id": "diversity", "title": "Diversity and stability", "blocks": _diversity(run)},
        ]
        if timings:
            sections.append(
                {"id": "latency", "title": "Latency", "blocks": _latency(timings, len(run.members), threads)}
            )
    sections.append({"id": "reproduce", "title": "Reproduce", "blocks": [blocks.Code(_commands(run))]})
    return fill(
        eyebrow="tflbnn ensemble report",
        title=f"{recipe.name} × {len(run.members)}",
        lead=[recipe.summary, kind, str(run.path)],
        badge=_badge(run),
        tiles=_tiles(run, timings),
        notices_title="What to know about this ensemble",
        notices=notices,
        sections=sections,
    )


def _badge(run: EnsembleRun) -> dict[str, str]:
    if not run.finished:
        return {"kind": "warn", "text": "Training not finished"}
    if not run.model_tflite.is_file():
        return {"kind": "warn", "text": "Trained, not exported"}
    verified = run.verification_json.is_file() and read_json(run.verification_json, "verification").get("verified")
    return {"kind": "good", "text": "Verified"} if verified else {"kind": "warn", "text": "Exported, not verified"}


def _tiles(run: EnsembleRun, timings: dict[str, Timing]) -> list[dict[str, str]]:
    def tile(name: str, value: str, note: str) -> dict[str, str]:
        return {"name": name, "value": value, "note": note}

    if not run.finished:
        return [tile("Members", str(len(run.members)), f"of {run.settings.members}")]
    metrics = run.metrics
    alone = metrics["test_members"]
    gain = metrics["test_accuracy"] - sum(alone) / len(alone)
    tiles = [
        tile("Test accuracy", percent(metrics["test_accuracy"]), f"all {len(alone)} members"),
        tile("One member", percent(sum(alone) / len(alone)), f"{percent(min(alone))} to {percent(max(alone))}"),
        tile("Gain", f"{100 * gain:+.1f} points", "over the members' mean"),
    ]
    if run.model_tflite.is_file():
        tiles.append(tile("Model file", size(run.model_tflite.stat().st_size), "all members, votes inside"))
    if timings:
        ratio = timings["ensemble"].median_ms / timings["member"].median_ms
        tiles.append(tile("Latency", milliseconds(timings["ensemble"].median_ms), f"{ratio:.2f} times one member's"))
    return tiles


def _votes(run: EnsembleRun) -> list[blocks.Block]:
    metrics = run.metrics
    numbers = range(1, len(metrics["test_members"]) + 1)
    lines = [
        Line([(k, 100 * value) for k, value in zip(numbers, metrics[f"test_{voting}"], strict=True)], voting, kind)
        for voting, kind in (("hard", "rest"), ("soft", "binary"))
    ]
    dots = [
        Dot(k, 100 * alone, f"member {k} alone: {percent(alone)}", kind="train")
        for k, alone in zip(numbers, metrics["test_members"], strict=True)
    ]
    shown = plot("Test accuracy", Axis("members", low=1), Axis("%"), dots, lines)
    intro = "The first one, two, ... members vote: soft the full line, hard the dashed one. Dots are members alone."
    return [blocks.Intro(intro), blocks.Plots([shown])]


def _members(run: EnsembleRun) -> list[blocks.Block]:
    metrics = run.metrics
    rows = []
    for member, alone, hard, soft in zip(
        run.members, metrics["test_members"], metrics["test_hard"], metrics["test_soft"], strict=True
    ):
        error = "" if member.error is None else percent(member.error)
        cells = [str(member.number), percent(alone), f"{member.weight:.3f}", error, str(member.best_epoch)]
        rows.append(blocks.Row([*cells, percent(hard), percent(soft)]))
    names = ("member", "alone", "weight", "error by weight", "best epoch", "votes up to it, hard", "soft")
    return [blocks.Table("Members", blocks.columns(names), rows)]


def _diversity(run: EnsembleRun) -> list[blocks.Block]:
    found = run.metrics["test_diversity"]

    def text(value: float | None, form: Callable[[float], str] = percent) -> str:
        return "–" if value is None or math.isnan(value) else form(value)

    rows = [
        ("disagreement: one of a pair is right, the other wrong", text(found["disagreement"])),
        ("different labels of a pair", text(found["different_labels"])),
        ("Q statistic: 0 independent, 1 the same mistakes", text(found["q_statistic"], "{:.2f}".format)),
    ]
    for voting, values in run.metrics.get("test_deviation", {}).items():
        rows.append((f"deviation over the last training steps, one member, {voting}", f"{100 * values[0]:.2f} points"))
        rows.append((f"the same of all members, {voting}", f"{100 * values[-1]:.2f} points"))
    return [blocks.Pairs(rows, "Diversity")]


def _latency(timings: dict[str, Timing], members: int, threads: int) -> list[blocks.Block]:
    rows = [
        blocks.Row([name, milliseconds(found.median_ms), milliseconds(found.p90_ms), milliseconds(found.best_ms)])
        for name, found in ((f"{members} members, one file", timings["ensemble"]), ("one member", timings["member"]))
    ]
    intro = f"Measured in turn, {threads} thread{'s' * (threads > 1)}, one image."
    return [blocks.Intro(intro), blocks.Table("Latency", blocks.columns(("what", "median", "90 %", "best")), rows)]


def _commands(run: EnsembleRun) -> list[str]:
    from tflbnn import recipes

    recipe, settings = run.recipe, run.settings
    changed = changes(recipe, recipes.get(recipe.name)) if recipe.name in recipes.NAMES else {}
    words = ["tflbnn", "ensemble", recipe.name, *(f"{key}={value}" for key, value in changed.items())]
    words += ["--method", settings.method, "--members", str(settings.members), "--voting", settings.voting]
    words += ["--reweighting", settings.reweighting, *["--sequential"] * settings.sequential]
    words += [*["--last"] * (not settings.best), "--out", str(run.path)]
    return [shlex.join(words), shlex.join(["tflbnn", "export", str(run.path)])]
