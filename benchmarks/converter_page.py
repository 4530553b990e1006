"""The tables of docs/converter.md, from the result files: sizes, times, what a smaller rest and other passes gain."""

from __future__ import annotations

from collections.abc import Mapping

from benchmark_page import NETWORKS, OURS, Rows, rows_of, section

_RESTS = ("float32", "float16", "int8-dynamic", "int8")


def tables(found: Mapping[str, Rows]) -> str:
    """The text between the markers; what was not measured is left out."""
    parts = []
    for name, make in (
        ("converter_sizes", _sizes),
        ("rest_latency", _latency),
        ("rest_accuracy", _accuracy),
        ("convert", _times),
        ("converter_passes", _passes),
    ):
        if rows := found.get(name):
            parts += [make(rows), f"`{rows[0]['command']}`, {rows[0]['date']}, commit {rows[0]['commit']}."]
    return "\n\n".join(parts)


def _sizes(rows: Rows) -> str:
    body = []
    for model in dict.fromkeys(row["model"] for row in rows):
        (theirs,) = (row for row in rows_of(rows, model=model) if row["converter"] != OURS)
        ours = {row["rest"]: row for row in rows_of(rows, model=model, converter=OURS)}
        cells = [f"{int(ours[rest]['bytes']):,}" if rest in ours else "" for rest in _RESTS]
        body.append([model, _bytes(theirs), *cells, f"{int(theirs['goal_bytes']):,}"])
    head = ["bytes", "LCE", *(f"tflbnn, {rest}" for rest in _RESTS), "goal"]
    return section("Size of the file for the same model, by what is not binary", head, body)


def _bytes(row: dict[str, str]) -> str:
    return f"{int(row['bytes']):,}" if row["bytes"] else row["outcome"]


def _latency(rows: Rows) -> str:
    body = [
        [_name(row), row["rest"], row["median_ms"], f"{row['times_faster_than_float32']} ×", _bytes(row)]
        for row in rows
    ]
    return section("Time of one image, one thread", ["network", "rest", "ms", "faster than float32", "bytes"], body)


def _accuracy(rows: Rows) -> str:
    body = [
        [row["network"], row["rest"], f"{float(row['test_accuracy']):.2%}", row["points_lost"], _bytes(row)]
        for row in rows
    ]
    head = ["network", "rest", "test accuracy", "points lost", "bytes"]
    return section("Accuracy on Fashion-MNIST, the file with the delegate", head, body)


def _times(rows: Rows) -> str:
    body = [[_name(row), row["converter"], row["median_s"], row["share_of_lce"]] for row in rows]
    return section("Time of a conversion", ["network", "converter", "s", "share of LCE's"], body)


def _passes(rows: Rows) -> str:
    body = [
        [row["pass"], row["runtime"], row["ms_as_converted"], row["ms_twin"], f"{row['gain_at_most']} ×"]
        for row in rows
    ]
    head = ["pass", "runtime", "ms as converted", "ms of the twin", "gain at most"]
    return section("Passes that the converter does not have", head, body)


def _name(row: dict[str, str]) -> str:
    return NETWORKS.get(row["network"], row["network"])
