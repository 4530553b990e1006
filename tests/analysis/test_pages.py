"""The generated pages of docs/ are what their generators make of benchmarks/results, and these fit the networks."""

import json
import math
from pathlib import Path

import pytest

from tflbnn import networks
from tflbnn.networks import Figure

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def zoo(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import zoo

    return zoo


@pytest.fixture
def comparisons(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import fashion_mnist_comparisons

    return fashion_mnist_comparisons


@pytest.fixture
def rows(zoo) -> list[dict[str, str]]:
    return zoo.results.read(zoo.results.RESULTS / "zoo.csv")


def test_the_page_and_the_list_have_not_drifted(zoo, rows) -> None:
    assert zoo.zoo_pages.PAGE.read_text(encoding="utf-8") == zoo.zoo_pages.markdown(rows), (
        "python benchmarks/zoo.py --pages"
    )
    assert json.loads(zoo.zoo_pages.LISTING.read_text(encoding="utf-8")) == zoo.zoo_pages.listing(rows)


def test_every_figure_has_its_row(zoo, rows) -> None:
    expected = [
        {"network": name, "settings": zoo.settings(name, figure), **zoo.published(name, figure)}
        for name in networks.NAMES
        for figure in zoo.rows_of(name)
    ]
    assert [{key: row[key] for key in expected[0]} for row in rows] == [
        {key: str(value) for key, value in row.items()} for row in expected
    ], "python benchmarks/zoo.py"


@pytest.mark.parametrize("name", ["lenet", "benn_nin", "binary_densenet21", "quicknet_small"])
def test_rows_are_what_is_counted(zoo, rows, monkeypatch, name: str) -> None:
    monkeypatch.setattr("tflbnn.analysis.flatbuffer.flatbuffer_bytes", lambda model: 0)
    found = [row for row in rows if row["network"] == name]
    figures = zoo.rows_of(name)
    assert len(found) == len(figures) > 0
    for row, figure in zip(found, figures, strict=True):
        counted = {key: str(value) for key, value in zoo.count(name, figure).items() if key != "flatbuffer_bytes"}
        assert {key: row[key] for key in counted} == counted


def test_sizes_differ_by_3_percent_or_are_derived(rows) -> None:
    derived = {(name, figure.size) for name in networks.NAMES for figure in networks.figures(name) if figure.ours}
    units = {"KB": 10**3, "MB": 10**6, "KiB": 2**10, "MiB": 2**20}
    for row in rows:
        if row["published_size"]:
            published = float(row["published_size"]) * units[row["published_unit"]]
            known = (row["network"], float(row["published_size"])) in derived
            assert known or math.isclose(int(row["size_bytes"]), published, rel_tol=0.03), row


def test_the_file_holds_what_is_counted(rows) -> None:
    """A file is longer than its bits by the graph alone, but for binary weights of dense layers, which are floats."""
    for row in rows:
        if row["flatbuffer_bytes"]:
            assert int(row["size_bytes"]) * 0.97 < int(row["flatbuffer_bytes"]), row
            assert int(row["flatbuffer_bytes"]) < 4.1 * int(row["parameters"]) + 300_000, row


def test_settings_are_told_as_summary_takes_them(zoo) -> None:
    figure = Figure(
        "", input_shape=(1, 1, 1), classes=2, knobs={"layers": (2, 1.5)}, binarization={"downsampling": "binary"}
    )
    assert zoo.settings("binary_densenet", figure) == "layers=2,1.5 downsampling=binary"


def test_every_point_of_the_chart_is_published(zoo, rows) -> None:
    points = zoo.zoo_pages.zoo_chart.points(rows)
    published = {(row["operations"], row["published_top1"]) for row in rows if row["data"] == "ImageNet"}
    assert len(points) > 30
    assert {(f"{point.operations:.0f}", f"{point.accuracy:g}") for point in points} <= published
    assert len({point.label for point in points if point.binary}) == sum(point.binary for point in points)


def test_the_comparisons_page_has_not_drifted(comparisons) -> None:
    rows = comparisons.results.read(comparisons.results.RESULTS / f"{comparisons.NAME}.csv")
    assert comparisons.PAGE.read_text(encoding="utf-8") == comparisons.page(rows)


def test_comparisons_compare_what_is_trained(comparisons) -> None:
    compared = {variant for pairs in comparisons.CLAIMS.values() for pair in pairs for variant in pair[:2]}
    assert compared == set(comparisons.VARIANTS)
    rows = comparisons.results.read(comparisons.results.RESULTS / f"{comparisons.NAME}.csv")
    assert {row["variant"] for row in rows} <= set(comparisons.VARIANTS)
    for row in rows:
        recipe, command = comparisons.recipe_of(row["variant"], int(row["seed"]))
        assert row["command"] == command
        assert recipe.seed == int(row["seed"])


def test_differences_are_taken_seed_by_seed(comparisons) -> None:
    one, other = comparisons.CLAIMS[next(iter(comparisons.CLAIMS))][0][:2]
    source = {"parameters": 1, "size_bytes": 1, "full_precision_macs": 1, "binary_macs": 1, "operations": 1}
    source |= {"cpu": "a CPU", "versions": "1"}
    accuracies = {one: (0.8, 0.9), other: (0.7, 0.75)}
    rows = [
        {"variant": variant, "seed": seed, "test_accuracy": accuracy, **source}
        for variant, values in accuracies.items()
        for seed, accuracy in enumerate(values)
    ]
    text = comparisons.page(rows)
    assert f"| {one} | {other} | +12.50 ± 3.54 |" in text
    assert "| 85.00 ± 7.07 | 2 |" in text
