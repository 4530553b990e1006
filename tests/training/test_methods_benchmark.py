"""The runs that compare training methods: what they vary, that one can be made and resumed, and their page."""

from pathlib import Path

import pytest

from tests.data.idx_files import write_mnist

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def methods(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import fashion_mnist_methods

    return fashion_mnist_methods


def test_variants_differ_in_their_method_alone(methods):
    made = {variant: methods.recipe_of(variant, 0)[0] for variant in methods.VARIANTS}
    assert made["t_clip 0.25"].binarization.t_clip == 0.25
    assert made["t_clip 0.5, scaling FB"].binarization.scaling == "both"
    assert made["SignSwish 20"].binarization.beta == 20
    assert (made["htanh"].binarization.input_quantizer, made["htanh"].binarization.scaling) == ("ste_sign", "trained")
    assert made["SignSwish 5, R2"].binarization.regularizer == "r2"
    assert made["ResNetE, XNOR scaling"].binarization.input_scaling == "xnor"
    for recipe in made.values():
        assert (recipe.epochs, recipe.data.name, recipe.data.samples) == (5, "fashion-mnist", 10_000)
        assert recipe.binarization.is_binary
    _, command = methods.recipe_of("SignSwish 10", 2)
    assert command.endswith("seed=2")
    assert "binarization=bnn_plus" in command


def test_the_smallest_form_of_a_run_is_a_row_and_a_finished_one_is_read(methods, tmp_path, monkeypatch):
    write_mnist(tmp_path / "fashion-mnist", 80, compressed=True)
    monkeypatch.setenv("TFLBNN_DATA", str(tmp_path))
    row = methods.measure("t_clip 0.5", 1, tmp_path / "runs", smoke=True)
    assert (row["variant"], row["seed"]) == ("t_clip 0.5", 1)
    assert 0 <= float(row["test_accuracy"]) <= 1
    assert row["command"] == methods.recipe_of("t_clip 0.5", 1)[1]


def test_the_page_compares_seed_by_seed(methods):
    def row(variant, seed, accuracy):
        return {"variant": variant, "seed": str(seed), "test_accuracy": str(accuracy), "cpu": "a", "versions": "b"}

    rows = [row("t_clip 1.0", 0, 0.5), row("t_clip 1.0", 1, 0.6), row("t_clip 0.5", 1, 0.7)]
    text = methods.page(rows)
    assert "| t_clip 1.0 | 55.00 ± 7.07 |  | 2 |" in text
    assert "| t_clip 0.5 | 70.00 | +10.00 | 1 |" in text
    assert "| t_clip 0.5 | 70.00 |  | 1 |" in text  # what two groups have is trained once
    assert "| t_clip 0.5, scaling FB | – |" in text
    remaining = list(methods.missing(rows, methods.VARIANTS))
    assert len(remaining) == 3 * len(methods.VARIANTS) - 3
    assert remaining[0] == ("t_clip 0.25", 0)
