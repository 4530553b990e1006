"""Writes docs/quantizers.md from the tables and the docstrings of tflbnn: every way to binarize, and its formulas.

python benchmarks/quantizer_page.py
"""

from __future__ import annotations

import inspect
import re
import textwrap

import results

from tflbnn import binarization, layers, quantizers, regularizers, scaling
from tflbnn._files import atomic_write
from tflbnn.binarization import PRESETS, QUANTIZERS, Binarization
from tflbnn.quantizer_facts import QuantizerFacts

PAGE = results.ROOT / "docs" / "quantizers.md"

_INTRODUCTION = """\
# Quantizers

Every way to binarize that `tflbnn.Binarization` knows, with the formulas of its docstrings. x are a layer's inputs, w
its weights, s the sigmoid; ∂q/∂x is what training multiplies an incoming gradient by.

- A **method** is a set of fields by name: `Binarization.preset("bnn_plus", beta=10.0)` in Python,
  `binarization=bnn_plus beta=10` for a recipe.
- A **quantizer** is one of those fields: `input_quantizer` or `kernel_quantizer`. The classes are in
  `tflbnn.quantizers`, on Larq's base, and each has an example with its gradient.
- **1-bit products**: the converter makes binary convolutions of a layer whose inputs and weights both say yes: one, or
  of several bits or bases the sum of several. What it leaves in floats it computes as Keras does, and
  `tflbnn export --explain` names it.

What the methods are worth: [methods.md](methods.md).
"""


def formulas(documented: type) -> str:
    """The indented lines of a docstring, those of its examples and arguments left out."""
    text = inspect.getdoc(documented).split("\nArgs:")[0].split(">>>")[0]
    blocks, block = [], []
    for line in [*text.splitlines(), ""]:
        if line.startswith("    ") or (block and not line):
            block.append(line)
        elif block:
            blocks.append(block)
            block = []
    blocks += [block] if block else []
    return "\n\n".join(textwrap.dedent("\n".join(lines)).strip() for lines in blocks)


def source(documented: type) -> str:
    """The paragraph of a docstring that says where it comes from."""
    found = re.search(r"\bSource: (.*?)\n\n", inspect.getdoc(documented), re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def sentence(documented: type) -> str:
    return " ".join(inspect.getdoc(documented).split("\n\n")[0].split())


def section(documented: type) -> list[str]:
    """A class: what it is, its formulas, where it comes from."""
    lines = [sentence(documented), "", f"```text\n{formulas(documented)}\n```", ""]
    return [*lines, source(documented), ""] if source(documented) else lines


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    cells = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(row)} |".replace("|x|", r"\|x\|").replace("|w|", r"\|w\|") for row in cells] + [""]


def _products(made: Binarization) -> str:
    sides = [QUANTIZERS[name] for name in (made.input_quantizer, made.kernel_quantizer)]
    return "yes" if all(facts.exportable for facts in sides) else "no"


def methods() -> list[str]:
    """One row a method."""
    rows = []
    for row in binarization.table():
        made = Binarization.preset(row["name"])
        fields = ", ".join(f"`{key}={value}`" for key, value in PRESETS[row["name"]].fields.items())
        rows.append((row["name"], row["activations"], row["weights"], _products(made), fields, row["paper"]))
    return _table(("method", "activations", "weights", "1-bit products", "fields", "paper"), rows)


def classes(name: str, facts: QuantizerFacts) -> list[type]:
    """The classes behind a quantizer's name, inputs' first, each once."""
    if name == "r_sign":  # behind it the sign is that of approx_sign
        return [layers.RSign]
    made = [factory.name for factory in (facts.inputs, facts.weights) if factory and factory.name]
    return [getattr(quantizers, name) for name in dict.fromkeys(made)]


def page() -> str:
    """docs/quantizers.md."""
    lines = [_INTRODUCTION, "## Methods", "", *methods(), "## Quantizers", ""]
    rows = [
        (row["name"], row["quantizes"], row["bits"], row["levels"], "yes" if facts.exportable else "no", row["paper"])
        for row, facts in zip(binarization.quantizer_table(), QUANTIZERS.values(), strict=True)
    ]
    lines += _table(("quantizer", "of", "bits", "levels", "1-bit products", "paper"), rows)
    for name, facts in QUANTIZERS.items():
        if made := classes(name, facts):
            lines += [f"### {name}", ""]
            for documented in made:
                lines += section(documented)
            if name == "r_sign":
                lines += ["The sign behind it is that of [approx_sign](#approx_sign).", ""]
    lines += ["## Scales", ""]
    for documented in (quantizers.ScaledSign, scaling.MagnitudeMap):
        lines += section(documented)
    lines += ["## Regularizers", ""]
    for documented in (regularizers.R1, regularizers.R2):
        first, second, *_ = inspect.getdoc(documented).split("\n\n")
        lines += [" ".join(first.split()), "", " ".join(second.split()), ""]
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    atomic_write(PAGE, page())
