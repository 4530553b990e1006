"""Examples in docstrings as code: Markdown would take `>>>` for quotations."""

from __future__ import annotations

from typing import Any

import griffe


class Doctests(griffe.Extension):
    """Fences the examples of every docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring and ">>> " in obj.docstring.value:
            obj.docstring.value = fenced(obj.docstring.value)


def fenced(text: str) -> str:
    """The text with a fence around each example, which begins with >>> and ends with an empty line.

    >>> fenced("Adds:\\n>>> 1 + 1\\n2").splitlines()
    ['Adds:', '```pycon', '>>> 1 + 1', '2', '```']
    """
    lines: list[str] = []
    inside = None
    for line in [*text.splitlines(), ""]:
        indentation = line[: len(line) - len(line.lstrip())]
        if inside is None and line.lstrip().startswith(">>> "):
            inside = indentation
            lines += [f"{inside}```pycon"]
        if inside is not None and not line.strip():
            lines.append(f"{inside}```")
            inside = None
        lines.append(line)
    return "\n".join(lines[:-1])
