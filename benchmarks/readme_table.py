"""Writes the README's tables from benchmarks/results/*.csv.

python benchmarks/readme_table.py            write them
python benchmarks/readme_table.py --check    exit code 1 when the README differs from them
"""

from __future__ import annotations

import argparse
import collections
import sys
from collections.abc import Callable
from pathlib import Path

import results

from tflbnn._files import atomic_write
from tflbnn.errors import UserError

BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
Rows = list[dict[str, str]]


def whole_networks(rows: Rows) -> str:
    """One line a runtime."""
    first = rows[0]
    threads = "1 thread" if first["threads"] == "1" else f"{first['threads']} threads"
    kernel = next(row["kernel"] for row in rows if row["kernel"])
    body = [
        [
            row["network"],
            row["runtime"],
            row["median_ms"],
            row["p90_ms"],
            row["times_faster_than_lce_best"],
            row["times_faster_than_float"],
        ]
        for row in rows
    ]
    head = ["network", "runtime", "median ms", "p90 ms", "× faster than LCE at its best", "× faster than float"]
    title = (
        f"Whole networks, input {first['input']}, {threads}, kernel {kernel}, {first['cpu']}; LCE at its best setting"
    )
    return _section(title, head, body, first)


def agreement(rows: Rows) -> str:
    """One line a runtime: how many networks it computes as Keras does."""
    runtimes = [column for column in rows[0] if column.startswith(("tflbnn ", "LCE ")) and ":" not in column]
    body = []
    for runtime in runtimes:
        counts = collections.Counter(row[runtime] for row in rows)
        causes = collections.Counter(row.get(f"{runtime}: cause") or "" for row in rows)
        named = "; ".join(f"{count} × {cause}" for cause, count in causes.most_common() if cause)
        body.append([runtime, *(str(counts[verdict]) for verdict in ("equal", "differs", "refused")), named])
    head = ["runtime", "equal to Keras", "differs", "refused", "because"]
    return _section(f"{len(rows)} random networks, compared bit for bit", head, body, rows[0])


def convert(rows: Rows) -> str:
    """One line a network."""
    hidden = {"seed", "cpu", "versions", "commit", "date", "command"}
    head = [column for column in rows[0] if column not in hidden]
    return _section(
        "Converting a Keras model",
        [column.replace("_", " ") for column in head],
        [[row[c] for c in head] for row in rows],
        rows[0],
    )


# By the beginning of the file's name, in the order of the README.
SECTIONS: dict[str, Callable[[Rows], str]] = {
    "whole_networks": whole_networks,
    "convert": convert,
    "agreement": agreement,
}


def _section(title: str, head: list[str], body: list[list[str]], source: dict[str, str]) -> str:
    rule = ["---" if not body[0][i].replace(".", "").isdigit() else "---:" for i in range(len(head))]
    lines = [f"**{title}**", "", *(f"| {' | '.join(cells)} |" for cells in (head, rule, *body)), ""]
    return "\n".join([*lines, f"`{source['command']}`, {source['date']}, commit {source['commit']}"])


def generate(folder: Path = results.RESULTS) -> str:
    """The text between the markers."""
    sections = [
        render(results.read(path))
        for prefix, render in SECTIONS.items()
        for path in sorted(folder.glob(f"{prefix}*.csv"))
    ]
    if not sections:
        raise UserError(f"There must be a result file to show. Received: none in {folder}. Run: make benchmark")
    return "\n\n".join(sections)


def replaced(readme: str, text: str) -> str:
    """The README with `text` between its markers."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(f"The README must have the lines {BEGIN} and {END}. Received: none or one of them. Add them.")
    return f"{before}{begin}\n{text}\n{end}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    readme = results.ROOT / "README.md"
    old = readme.read_text()
    new = replaced(old, generate())
    if check and new != old:
        raise UserError(
            "The README's tables must be those of benchmarks/results. Run: python benchmarks/readme_table.py"
        )
    if new != old:
        atomic_write(readme, new)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
