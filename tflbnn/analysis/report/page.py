"""Lays the facts of a run out for the template report.html."""

from __future__ import annotations

import functools

from tflbnn import __version__
from tflbnn.analysis.report import sections
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.units import flatten, milliseconds, percent
from tflbnn.analysis.units import short, size
from tflbnn.errors import INSTALL_TRAIN, UserError
from tflbnn.training.scores import score_of

try:
    import jinja2
except ModuleNotFoundError as error:
    raise UserError(f"Reports need the package jinja2, which is not installed. {INSTALL_TRAIN}") from error


def render(facts: Facts) -> str:
    """The page as one HTML document that makes no request; whatever comes from the run is escaped."""
    return _template().render(
        title=str(facts.recipe.get("name", facts.folder.name)),
        lead=[str(line) for line in (facts.recipe.get("summary"), facts.recipe.get("paper"), facts.folder) if line],
        badge=_badge(facts),
        tiles=_tiles(facts),
        notices=facts.notices,
        training=sections.training(facts),
        charts=sections.curves(facts.history),
        confusion=sections.confusion_matrix(facts.confusion, facts.labels) if facts.confusion else None,
        confusion_absent=_absent(facts),
        layers=sections.layers(facts) if facts.counts else None,
        layers_absent="the network could not be built from recipe.json.",
        latency=sections.latency_table(facts.latency, facts.model_bytes) if facts.latency else None,
        latency_absent=_absent(facts),
        verification=sections.verification_table(facts.verification) if facts.verification else None,
        verification_absent=_absent(facts),
        recipe=sections.recipe_rows(facts.recipe),
        environment=list(flatten(facts.environment)),
        reproduce={
            "intro": "In any folder, with the versions listed above:",
            "commands": "\n".join(facts.commands),
        },
        footer=f"Written by tflbnn {__version__}. This page is one file and makes no request.",
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tflbnn.analysis", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def _absent(facts: Facts) -> str:
    """Why a part that needs a trained or an exported model is missing."""
    if score_of(facts.metrics, "test") is None:
        return f"the training has not finished. Continue it with: tflbnn train --resume --out {facts.folder}"
    if facts.model_bytes is None:
        return f"the run has no model.tflite. Make it with: tflbnn export {facts.folder}"
    return "see the notes at the top of this page."


def _badge(facts: Facts) -> dict[str, str]:
    if score_of(facts.metrics, "test") is None:
        return {"kind": "warn", "text": "Training not finished"}
    if facts.model_bytes is None:
        return {"kind": "warn", "text": "Trained, not exported"}
    if facts.verification is None:
        return {"kind": "warn", "text": "Exported, not verified"}
    verified = facts.verification.get("verified") is True
    return {"kind": "good", "text": "Verified"} if verified else {"kind": "bad", "text": "Verification failed"}


def _tiles(facts: Facts) -> list[dict[str, str]]:
    tiles = []

    def add(name: str, value: str, note: str) -> None:
        tiles.append({"name": name, "value": value, "note": note})

    tested = score_of(facts.metrics, "test")
    if tested is None:
        add("Test accuracy", "–", "training not finished")
    elif facts.confusion:
        matrix = facts.confusion.matrix
        note = f"{facts.confusion.source}: {matrix.trace():,} of {matrix.sum():,} right"
        add("Test accuracy", percent(tested[1]), note)
    else:
        add(f"Test {tested[0].text}", percent(tested[1]), "as measured after the training")
    latency, missing = facts.latency, "not exported" if facts.model_bytes is None else "not measured"
    twin = f"float twin {size(latency.twin_bytes)}" if latency else missing
    add("Model file", "–" if facts.model_bytes is None else size(facts.model_bytes), twin)
    if latency:
        add("Latency", milliseconds(latency.model.median_ms), f"{latency.ratio:.2f} times as fast as the float twin")
    else:
        add("Latency", "–", missing)
    if facts.counts:
        twin = f"; float twin {short(facts.twin_counts.operations)}" if facts.twin_counts else ""
        add("Operations", short(facts.counts.operations), f"f + b/32{twin}")
    verification = facts.verification
    if verification is None:
        add("Binary part", "–", "not verified")
    else:
        exact = verification.get("verified") is True
        add(
            "Binary part",
            "bit-exact" if exact else "differs",
            f"{verification.get('binary_layers', '?')} binary layers",
        )
    return tiles
