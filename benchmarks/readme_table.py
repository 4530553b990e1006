"""Writes the tables of the README and of docs/converter.md, and docs/benchmarks.md, from benchmarks/results/*.csv.

python benchmarks/readme_table.py            write them
python benchmarks/readme_table.py --check    exit code 1 when they differ from the results
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import results
from benchmark_page import KERNELS, NETWORKS, OURS, Rows, page, rows_of, section
from converter_page import tables as converter_tables

from tflbnn._files import atomic_write
from tflbnn.errors import UserError

BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
LCE = "LCE, best setting"


def networks(tables: Mapping[str, Rows]) -> str:
    """One line a network: the delegate's best kernel, and what two threads add."""
    best = next(row["runtime"] for row in tables["whole_networks"] if row["runtime"].startswith(OURS))
    body = []
    for name in dict.fromkeys(row["network"] for row in tables["whole_networks"]):
        (row,) = rows_of(tables["whole_networks"], network=name, runtime=best)
        threads = rows_of(tables.get("delegate_threads", []), network=name, runtime=OURS)
        body.append(
            [
                NETWORKS.get(name, name),
                row["median_ms"],
                f"{row['times_faster_than_lce_best']} ×",
                f"{row['times_faster_than_float']} ×",
                f"{threads[0]['times_faster_with_2_threads']} ×" if threads else "",
            ]
        )
    first = tables["whole_networks"][0]
    kernel = KERNELS.get(best.removeprefix(f"{OURS} "), best)
    title = f"One image of {first['input'].replace('x', ' × ')}, one thread, {kernel}, {first['cpu']}"
    return section(title, ["network", "ms", "faster than LCE", "than the float network", "with 2 threads"], body)


def figures(tables: Mapping[str, Rows]) -> str:
    """What is no time of a whole network, one line each; what was not measured has none."""
    body = []
    for row in rows_of(tables.get("delegate_convolutions", []), network="quicknet"):
        kernel = KERNELS.get(row["kernel"], row["kernel"])
        bound = f"{float(row['share_of_bound']):.0%} of what the instructions allow"
        body.append([f"binary convolutions inside QuickNet, {kernel}", f"{row['macs_per_cycle']} MAC/cycle", bound])
    estimates = tables.get("mca", [])
    for row in rows_of(estimates, processor="neoverse-n1") + rows_of(estimates, processor="cortex-a55"):
        bound = f"of {row['bound']}; by llvm-mca, not on a device"
        body.append(
            [f"inner loop of binary convolutions, NEON, {row['processor']}", f"{row['mac_per_cycle']} MAC/cycle", bound]
        )
    starts = tables.get("delegate_start", [])
    for name, column, what, unit in (
        ("quicknet", "load_ms", "from file to first prediction", "ms"),
        ("binary_densenet28", "growth_mb", "memory that loading and predicting take", "MB"),
    ):
        ours, theirs = (rows_of(starts, network=name, runtime=runtime) for runtime in (OURS, LCE))
        if ours and theirs:
            values = [f"{row[column]} {unit}" for row in (*ours, *theirs)]
            body.append([f"{what}, {NETWORKS[name]}", values[0], f"LCE {values[1]}"])
    agreement = [row for row in tables.get("agreement", []) if row["runtime"].startswith(OURS)]
    if agreement:
        count = max(int(row["networks"]) for row in agreement)
        wrong = sum(int(row["differs"]) for row in agreement)
        (lce,) = rows_of(tables["agreement"], runtime="LCE indirect")
        ours_text = "all bit for bit as Keras" if wrong == 0 else f"{wrong} differences from Keras"
        body.append([f"{count:,} random networks, every kernel and fusion", ours_text, f"LCE {lce['equal']}"])
    return section("", ["", "tflbnn", ""], body) if body else ""


def generate(folder: Path = results.RESULTS) -> str:
    """The text between the markers."""
    tables = read(folder)
    if "whole_networks" not in tables:
        raise UserError(
            f"There must be a result file whole_networks.csv. Received: none in {folder}. Run: make benchmark-delegate"
        )
    source = tables["whole_networks"][0]
    note = (
        f"`make benchmark-delegate`, {source['date']}, commit {source['commit']}. Medians of alternating runs; LCE is "
        "its own interpreter at its best setting, the float network the same one without binarization on XNNPACK. All "
        "of it, with versions and the commands: [docs/benchmarks.md](docs/benchmarks.md)."
    )
    return "\n\n".join(part for part in (networks(tables), figures(tables), note) if part)


def read(folder: Path) -> dict[str, Rows]:
    return {path.stem: results.read(path) for path in sorted(folder.glob("*.csv"))}


def replaced(page: str, text: str) -> str:
    """The README, or another page, with `text` between its markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UserError(f"The page must have the lines {BEGIN} and {END}. Received: none or one of them. Add them.")
    return f"{before}{begin}\n{text}\n{end}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    readme, docs = results.ROOT / "README.md", results.ROOT / "docs"
    found = read(results.RESULTS)
    converter = docs / "converter.md"
    written = {
        readme: replaced(readme.read_text(), generate()),
        docs / "benchmarks.md": page(found),
        converter: replaced(converter.read_text(encoding="utf-8"), converter_tables(found)),
    }
    for path, text in written.items():
        if path.exists() and path.read_text() == text:
            continue
        if check:
            raise UserError(
                f"{path.name} must show what is in benchmarks/results. Received: an older state. "
                "Run: python benchmarks/readme_table.py"
            )
        path.parent.mkdir(exist_ok=True)
        atomic_write(path, text)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
