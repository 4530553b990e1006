"""A search for a front: trials that train and are refused, baselines, files, TensorBoard, and a trial's recipe."""

import csv
import json

import pytest
from PIL import Image

from tests.tuning.test_training import SMALL
from tflbnn import recipes
from tflbnn.cli import main
from tflbnn.errors import UserError
from tflbnn.tuning import Baseline, LatencyTable, Row, Settings, parse_constraints, parse_space, results, search
from tflbnn.tuning.front_page import write_front
from tflbnn.tuning.plot import scatter
from tflbnn.tuning.trials import recipe_of_trial

# What a device might take for each operation of these networks.
OPERATIONS = (
    *("model", "LceQuantize", "QUANTIZE", "DEQUANTIZE", "FULLY_CONNECTED", "MEAN", "SUM", "AVERAGE_POOL_2D"),
    *("MAX_POOL_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "CONV_2D 1×1", "CONV_2D of an image", "binary convolution"),
    *("binary convolution to bits", "arithmetic", "activation", "function", "copy"),
)
TABLE = LatencyTable(
    {f"{name}{kind}": 0.01 for name in OPERATIONS for kind in ("", " int8")} | {"binary convolution:macs": 1.0}
)


def test_a_search_for_a_front(tmp_path, capsys):
    space = parse_space(SMALL, ["growth_rate=4,8,64", "t_clip=0.5,1.5"])
    limit = parse_constraints("size<=4KB")
    settings = Settings(
        space, "grid", objectives=("accuracy", "latency", "size"), constraints=limit, latency="predicted"
    )
    out = tmp_path / "search"
    found = search(settings, out, latency_table=TABLE)
    completed = [row for row in found.rows if row.status == "completed"]
    refused = [row for row in found.rows if row.status == "failed"]
    assert [row.values["network.growth_rate"] for row in refused] == [64, 64]
    for row in refused:
        assert row.reason.startswith("size must be at most 4 KB. Received: ")
        assert row.reason.endswith(", counted.")
        assert row.size_bytes > 4000
        assert not (sorted((out / "trials").glob("trial_*"))[row.trial - 1] / "history.csv").exists()
    assert len(completed) == 4
    assert all(row.latency_ms > 0 for row in completed)
    assert len({row.latency_ms for row in completed}) == 2  # of two networks, whatever their t_clip
    assert [row.name for row in found.baselines] == [
        "float twin, float32", "float twin, int8", "MobileNetV3, float32", "MobileNetV3, int8"
    ]  # fmt: skip
    twin, twin_int8 = found.baselines[:2]
    assert twin_int8.size_bytes < twin.size_bytes
    assert twin.size_bytes > max(row.size_bytes for row in completed if row.values == found.best.values)
    assert all(0 <= row.val_accuracy <= 1 and row.latency_ms > 0 for row in found.baselines)
    assert found.run is None
    with open(out / "front.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["trial"] * 4 + ["baseline"] * 4
    assert (out / "front.html").read_text().count("data-tip=") >= 16
    assert search(settings, out, resume=True) == found
    # TensorBoard's HParams tab has every trial, those that failed among them.
    folders = sorted((out / "trials").glob("trial_*"))
    assert len(folders) == 6
    assert all(list((folder / "logs" / "hparams").glob("events*")) for folder in folders)
    recipe = recipe_of_trial(out, completed[1].trial)
    assert recipe == space.variant(completed[1].values)
    with pytest.raises(SystemExit) as end:
        main(["train", "--from-trial", str(out), str(completed[1].trial), "--out", str(tmp_path / "run"), "--json"])
    printed = capsys.readouterr()
    assert end.value.code == 0, printed.err
    assert json.loads(printed.out)["recipe"] == "digits"
    assert recipes.Recipe.from_dict(json.loads((tmp_path / "run" / "recipe.json").read_text())) == recipe


def test_a_trial_that_is_none(tmp_path):
    with pytest.raises(UserError, match="whose folder holds search"):
        recipe_of_trial(tmp_path, 1)


def row(trial, accuracy, latency, size, name="a"):
    return Row(trial, results.COMPLETED, {"network.name": name, "binarization.t_clip": 0.5}, 1, accuracy, 8 * size,
               size, latency, 1.0)  # fmt: skip


def test_the_page_and_the_picture_of_three_objectives(tmp_path):
    objectives = ("accuracy", "latency", "size")
    rows = results.with_front([row(1, 0.9, 1.0, 100), row(2, 0.8, 0.5, 200, "<script>alert(1)</script>"),
                               row(3, 0.7, 2.0, 300)], objectives)  # fmt: skip
    assert [entry.pareto for entry in rows] == [True, True, False]
    baselines = (Baseline("float twin, float32", 0.95, 1000, 3.0), Baseline("float twin, int8", 0.94, 300, None))
    write_front(rows, baselines, objectives, "a & b", tmp_path / "front.html")
    page = (tmp_path / "front.html").read_text()
    assert "<script>alert" not in page
    assert "a &amp; b" in page
    assert "http" not in page.replace("http-equiv", "")
    scatter(rows, baselines, objectives, "a & b", tmp_path / "front.png", "binarization.t_clip")
    with Image.open(tmp_path / "front.png") as image:
        assert image.size == (2025, 750)
