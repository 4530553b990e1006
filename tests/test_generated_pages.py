"""The pages about quantizers and methods are what their generators make of the docstrings and the results."""

from pathlib import Path

import pytest

from tflbnn.binarization import PRESETS, QUANTIZERS

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def test_quantizers_have_not_drifted():
    import quantizer_page

    text = quantizer_page.page()
    assert quantizer_page.PAGE.read_text(encoding="utf-8") == text, "python benchmarks/quantizer_page.py"
    assert all(f"| {name} |" in text for name in (*PRESETS, *QUANTIZERS))
    # A sign, a gradient and a paper for each, and no formula without its derivative.
    for block in text.split("```text")[1:]:
        assert "∂" in block.split("```")[0]
    assert "SS(x)    = 2·s(βx)·[1 + βx·(1 − s(βx))] − 1" in text
    assert "https://arxiv.org/abs/1809.10463" in text


@pytest.mark.parametrize("name", ["fashion_mnist_methods", "fashion_mnist_comparisons"])
def test_tables_of_trainings_have_not_drifted(name):
    import importlib

    pages = importlib.import_module(name)
    rows = pages.results.read(pages.results.RESULTS / f"{pages.NAME}.csv")
    assert pages.PAGE.read_text(encoding="utf-8") == pages.page(rows), f"python benchmarks/{name}.py --table"
    assert {row["variant"] for row in rows} <= set(pages.VARIANTS)
