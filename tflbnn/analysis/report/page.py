"""Lays the facts of a run out for the template page.html."""

from __future__ import annotations

import functools
from typing import Any

from tflbnn import __version__
from tflbnn.analysis.report.facts import Facts
from tflbnn.analysis.report.sections import SECTIONS, id_of
from tflbnn.analysis.report.units import milliseconds, percent
from tflbnn.analysis.units import short, size
from tflbnn.errors import INSTALL_TRAIN, UserError
from tflbnn.training.scores import score_of

try:
    import jinja2
except ModuleNotFoundError as error:
    raise UserError(f"Reports need the package jinja2, which is not installed. {INSTALL_TRAIN}") from error


def render(facts: Facts) -> str:
    """The page as one HTML document that makes no request; whatever comes from the run is escaped."""
    shown = [(section, section.blocks(facts)) for section in SECTIONS]
    return fill(
        eyebrow="tflbnn run report",
        title=str(facts.recipe.get("name", facts.folder.name)),
        lead=[str(line) for line in (facts.recipe.get("summary"), facts.recipe.get("paper"), facts.folder) if line],
        badge=_badge(facts),
        tiles=_tiles(facts),
        notices_title="What to know about this run",
        notices=facts.notices,
        sections=[
            {"id": id_of(section), "title": section.TITLE, "blocks": blocks} for section, blocks in shown if blocks
        ],
    )


def fill(**values: Any) -> str:
    """The template with its values: eyebrow, title, lead, badge, tiles, notices_title, notices, sections."""
    footer = f"Written by tflbnn {__version__}. This page is one file and makes no request."
    return _template().render(footer=footer, **values)


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tflbnn.analysis.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html")


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
