"""The pages that are made of what the code and the result files say."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pictures import QUANTIZED, picture

from tflbnn import recipes
from tflbnn.binarization import QUANTIZERS, table
from tflbnn.recipes.recipe import Recipe

ROOT = Path(__file__).resolve().parent.parent.parent
RESULTS = ROOT / "benchmarks" / "results"
# Where a row comes from: told once under a table instead of in each row.
PROVENANCE = ("seed", "cpu", "versions", "commit", "date", "command")
LONGEST = 24  # rows of a table that is shown at once


def rows(header: list[str], lines: list[list[str]]) -> str:
    """A Markdown table.

    >>> print(rows(["a", "b"], [["1", "x | y"]]))
    | a | b |
    | --- | --- |
    | 1 | x \\| y |
    """
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in cells)


def recipes_page() -> str:
    """Every recipe, by the paper it is from."""
    groups: dict[str, list[Recipe]] = {}
    for name in recipes.NAMES:
        recipe = recipes.get(name)
        groups.setdefault(recipe.paper.split(" ")[0], []).append(recipe)
    text = [
        "# Recipes",
        "A recipe is a network, a binarization, a data set and how to train. `tflbnn train NAME` runs it; any field "
        "can be changed by name, as in `tflbnn train digits t_clip=0.5 network.growth_rate=16`. What a paper publishes "
        "is its accuracy, none of ours: see [Results](results.md).",
    ]
    for paper, members in groups.items():
        lines = [
            [
                f"`{recipe.name}`",
                recipe.summary,
                recipe.paper,
                recipe.published or "–",
                f"{recipe.epochs}",
                f"{recipe.optimizer.name} {recipe.optimizer.learning_rate:g}",
            ]
            for recipe in members
        ]
        header = ["recipe", "what", "paper", "published", "epochs", "optimizer"]
        text += [f"## {paper}", rows(header, lines)]
    return "\n\n".join(text) + "\n"


def binarizations_page() -> str:
    """Every preset, and every quantizer with its plots."""
    text = [
        "# Binarizations",
        "A `Binarization` says how the inner layers of a network quantize. A preset is a paper's method: "
        "`binarization=bnn_plus` in a recipe, `Binarization.preset('bnn_plus')` in Python. Below, each quantizer's "
        "forward pass and the gradient that training uses in its place, drawn from the code; the formulas are in "
        "[Quantizers](quantizers.md).",
        "## Presets",
        rows(
            ["preset", "activations", "weights", "fields", "paper"],
            [
                [f"`{row['name']}`", row["activations"], row["weights"], _code(row["fields"]), row["paper"]]
                for row in table()
            ],
        ),
        "## Quantizers",
    ]
    for name, facts in QUANTIZERS.items():
        sides = [side for side in facts.quantizes if (name, side) in QUANTIZED]
        if not sides:
            continue
        plots = "\n\n".join(f"![{name} of {side}]({picture(name, side)})" for side in sides)
        text += [
            f"### {name}",
            f"Values: {facts.levels}. Gradient: {facts.gradient}. From {facts.paper}.",
            f'<div class="plots" markdown>\n\n{plots}\n\n</div>',
        ]
    return "\n\n".join(text) + "\n"


def _code(words: str) -> str:
    return " ".join(f"`{word}`" for word in words.split()) or "–"


def commands_page() -> str:
    """--help of every command."""
    from tflbnn.cli import COMMANDS

    text = ["# Commands", "Every command has `--json`. " + "Exit codes: 0 done, 1 internal error, 2 wrong input, "
            "3 verification failed, 130 interrupted."]  # fmt: skip
    for name, module in COMMANDS.items():
        text += [f"## tflbnn {name}", _fence(_help(name))]
        if hasattr(module, "app"):
            for one in module.app.registered_commands:
                text += [f"### tflbnn {name} {one.name}", _fence(_help(name, one.name))]
    return "\n\n".join(text) + "\n"


def _help(*words: str) -> str:
    from tflbnn.cli import app

    written = io.StringIO()
    with _environment(COLUMNS="96", NO_COLOR="1", TERM="dumb"), contextlib.redirect_stdout(written):
        app([*words, "--help"], prog_name="tflbnn", standalone_mode=False)
    return "\n".join(line.rstrip() for line in written.getvalue().strip("\n").splitlines())


@contextlib.contextmanager
def _environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _fence(text: str) -> str:
    return f"```text\n{text}\n```"


def results_page() -> str:
    """Every result file as a table, with where it comes from."""
    text = [
        "# Results",
        "Every measurement of this project is a file in `benchmarks/results`, written by a script in `benchmarks`; "
        "these tables are made of them. What they mean is told in [Benchmarks](benchmarks.md), "
        "[Networks](networks.md) and [Comparisons](comparisons.md).",
    ]
    for path in sorted(RESULTS.glob("*.csv")):
        with open(path, newline="", encoding="utf-8") as file:
            found = list(csv.DictReader(file))
        if found:
            text.append(f"## {path.stem}\n\n{_result(found)}")
    return "\n\n".join(text) + "\n"


def _result(found: list[dict[str, str]]) -> str:
    alike = {key for key in found[0] if len({row[key] for row in found}) == 1}
    # A command of its own for each row is one of its settings' names: the first stands for all.
    header = [key for key in found[0] if key not in PROVENANCE and (key not in alike or len(found) == 1)]
    shown = rows(header, [[row[key] or "–" for key in header] for row in found])
    if len(found) > LONGEST:
        shown = f'??? note "{len(found)} rows"\n\n' + "\n".join(f"    {line}" for line in shown.splitlines())
    keys = (*sorted(alike - set(PROVENANCE)), "command", "date", "commit", "cpu")
    known = [(key, found[0].get(key)) for key in keys if len(found) > 1 or key in PROVENANCE]
    told = [f"{key} `{value}`" for key, value in known if value]
    first = "" if "command" in alike or len(found) == 1 else " The command is that of the first row."
    return f"{shown}\n\n{'; '.join(told)}.{first}\n\n{found[0].get('versions', '')}"


def _copied(path: str, title: str = "") -> Callable[[], str]:
    """A page of the source tree as it is; links to other files of that tree become their text."""

    def make() -> str:
        text = (ROOT / path).read_text(encoding="utf-8")
        text = re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)
        return re.sub(r"\A# .*", f"# {title}", text) if title else text

    return make


PAGES: dict[str, Callable[[], str]] = {
    "recipes": recipes_page,
    "binarizations": binarizations_page,
    "commands": commands_page,
    "results": results_page,
    "delegate": _copied("delegate/README.md"),
    "contributing": _copied("CONTRIBUTING.md"),
    "changelog": _copied("CHANGELOG.md"),
}
