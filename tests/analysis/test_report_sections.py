"""Sections that need more than the run's own files: operations, searches, pictures; and several runs on one page."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.analysis.test_report_page import HOSTILE, Page, facts, outside_requests
from tflbnn.analysis.report import blocks, comparison, plots
from tflbnn.analysis.report.page import render
from tflbnn.analysis.report.sections import SECTIONS, figures, id_of, operations, search
from tflbnn.cli._per_op import Operation, PerOp, Value
from tflbnn.errors import UserError

POSITIVE = st.floats(1e-3, 1e9)


def convolution(index: int, macs_per_cycle: float = 100.0) -> Operation:
    """4×4 pixels of 64 bits to 4×4×32 floats by 3×3 weights."""
    return Operation(
        partition=0,
        index=index,
        op="LceBconv2d",
        stages="",
        inputs=[Value("in", "bits", [1, 4, 4, 2])],
        outputs=[Value("out", "float32", [1, 4, 4, 32])],
        kernel="avx512",
        runs=60,
        median_ms=0.01 * (index + 1),
        share=0.1 * (index + 1),
        binary_macs=4 * 4 * 9 * 64 * 32,
        macs_per_cycle=macs_per_cycle,
        bound_macs_per_cycle=400.0,
        share_of_bound=macs_per_cycle / 400,
    )


def profile(*rows: Operation) -> operations.Profile:
    return operations.Profile(PerOp("model.tflite", 1, 2.0, 0.1, 0.04, list(rows)), 8e9)


def test_every_section_has_a_name_and_a_title_of_its_own():
    assert (
        len({id_of(section) for section in SECTIONS}) == len({section.TITLE for section in SECTIONS}) == len(SECTIONS)
    )


def test_a_convolution_moves_its_inputs_outputs_and_weights():
    bits, floats, weights = 4 * 4 * 2 * 4, 4 * 4 * 32 * 4, 9 * 64 * 32 / 8
    assert operations.traffic(convolution(0)) == bits + floats + weights


def test_operations_are_bars_and_dots_under_the_roofline():
    page = Page(render(facts(parts={"operations": profile(convolution(0), convolution(1, 380.0))})))
    text = page.section("operations")
    assert "the delegate's 2 operations take 0.0300 ms" in text
    assert text.index("2: LceBconv2d") < text.index("1: LceBconv2d")  # the slower first
    assert "outside of the delegate 0.0400 ms" in text
    assert "4.0 bytes/cycle" in text
    assert "400 MAC/cycle" in text
    assert "380.0 95%" in text
    dots = [attributes for tag, attributes in page.tags if tag == "circle" and "shown binary" in attributes["class"]]
    assert len(dots) == 2
    assert float(dots[1]["cy"].rstrip("%")) < float(dots[0]["cy"].rstrip("%"))


def test_without_a_clock_there_is_no_roofline():
    blind = dataclasses.replace(convolution(0), macs_per_cycle=None, share_of_bound=None)
    text = Page(render(facts(parts={"operations": profile(blind)}))).section("operations")
    assert "roofline" not in text
    assert "1: LceBconv2d" in text
    assert "operations" not in Page(render(facts())).sections


def test_many_operations_end_in_one_bar():
    rows = [convolution(index) for index in range(operations.SHOWN + 9)]
    assert "9 more" in Page(render(facts(parts={"operations": profile(*rows)}))).section("operations")


def trials(path: Path, lines: str) -> Path:
    path.write_text("trial,status,epochs,t_clip,val_accuracy,parameters,size_bytes,seconds,pareto,reason\n" + lines)
    return path


def test_a_search_shows_its_front(tmp_path):
    path = trials(
        tmp_path / "trials.csv",
        "1,completed,3,0.5,0.9,10,2048,1,true,\n2,completed,3,1.0,0.8,10,4096,1,false,\n3,failed,0,2.0,,,,1,false,NaN\n",
    )
    found = search.read(path)
    assert [(trial.number, trial.settings, trial.latency) for trial in found] == [
        ("1", "t_clip=0.5", None),
        ("2", "t_clip=1.0", None),
    ]
    text = Page(render(facts(parts={"search": found}))).section("search")
    assert "2 completed trials, 1 of them on the Pareto front" in text
    assert "trial 1 t_clip=0.5 90.0 % 2.0 KiB" in text
    assert "Accuracy against latency" not in text
    timed = [dataclasses.replace(trial, latency=0.2) for trial in found]
    assert "Accuracy against latency" in Page(render(facts(parts={"search": timed}))).section("search")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "trial,status\n1,completed\n"])
def test_a_damaged_search_is_refused(tmp_path, text):
    (tmp_path / "trials.csv").write_text(text)
    if text == "":
        assert search.read(tmp_path / "trials.csv") == []
        return
    with pytest.raises(UserError, match="table as tune writes it"):
        search.read(tmp_path / "trials.csv")
    with pytest.raises(UserError, match="table as tune writes it"):
        search.read(trials(tmp_path / "trials.csv", "1,completed,3,0.5,nan,10,2048,1,true,\n"))


def test_pictures_lie_in_the_page_with_their_captions(tmp_path):
    from tflbnn.analysis.visualize.drawing import Drawing, new

    for name in ("zebra", "visualbackprop"):
        Drawing.of(new(1, 1), name, "A title", HOSTILE).write(tmp_path / "figures")
    found = figures.gather(SimpleNamespace(run=SimpleNamespace(path=tmp_path)))
    assert [drawing.name for drawing in found] == ["visualbackprop", "zebra"]
    page = Page(render(facts(parts={"figures": found})))
    assert outside_requests(page) == []
    assert page.section("figures").count(HOSTILE) == 2
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert [image["alt"] for image in images] == ["A title", "A title"]
    assert "tflbnn visualize all" in Page(render(facts())).section("figures")
    (tmp_path / "figures" / "broken.png").write_bytes(b"none")
    with pytest.raises(UserError, match="PNG"):
        figures.gather(SimpleNamespace(run=SimpleNamespace(path=tmp_path)))


@given(POSITIVE, POSITIVE)
def test_decades_enclose_their_values(one, other):
    low, high = sorted((one, other))
    ticks = plots.decades(low, high)
    assert len(ticks) >= 2
    assert ticks == sorted(set(ticks))
    assert ticks[0] <= low * (1 + 1e-6)
    assert ticks[-1] >= high * (1 - 1e-6)
    assert len(ticks) <= 16


@given(st.lists(st.tuples(POSITIVE, st.floats(-1e6, 1e6)), min_size=1, max_size=20), st.booleans())
def test_plots_keep_their_dots_inside_and_in_order(points, logarithmic):
    dots = [plots.Dot(x, y, "") for x, y in points]
    drawn = plots.plot("", plots.Axis("x", logarithmic), plots.Axis("y"), dots)
    assert all(-0.1 <= value <= 100.1 for place in drawn.places for value in (place.x, place.y))
    by_x = sorted(zip(points, drawn.places, strict=True), key=lambda pair: pair[0][0])
    assert [place.x for _, place in by_x] == sorted(place.x for place in drawn.places)
    assert all(math.isfinite(tick.at) for tick in (*drawn.x_ticks, *drawn.y_ticks))


def test_tables_name_columns_by_what_they_hold():
    assert [column.align for column in blocks.columns("abc")] == ["", "n", "n"]


@given(st.lists(st.sampled_from(["a/x", "b/x", "a/y", "c/a/x", "z"]), min_size=1, unique=True))
def test_runs_have_names_that_tell_them_apart(paths):
    names = comparison.names([Path(path) for path in paths])
    assert len(set(names)) == len(paths)
    assert all(path.endswith(name) or name.endswith(path) for name, path in zip(names, paths, strict=True))


def test_runs_are_compared_on_one_page(digits_run, tmp_path):
    from tflbnn.analysis import report
    from tflbnn.cli import main

    one, other = (Path(shutil.copytree(digits_run, tmp_path / name)) for name in ("one", "other"))
    recipe = json.loads((other / "recipe.json").read_text())
    (other / "recipe.json").write_text(json.dumps({**recipe, "seed": 77, "summary": HOSTILE}))
    path, found, notices = report.compare([one, other])
    page = Page(path.read_text(encoding="utf-8"))
    assert path == tmp_path / "comparison.html"
    assert outside_requests(page) == []
    assert [row.name for row in found] == ["one", "other"]
    assert len(notices) == 2  # neither is exported
    assert "seed 0 77" in page.section("differences")
    assert HOSTILE in page.section("differences")
    assert f"{found[0].counts.parameters:,}" in page.section("results")
    assert np.isfinite(found[0].score)
    with pytest.raises(SystemExit) as ended:
        main(["report", *[str(one)] * 9])
    assert ended.value.code == 2
