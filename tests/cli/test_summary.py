import json

import pytest

from tflbnn import recipes
from tflbnn.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as end:
        main(["summary", *arguments])
    return end.value.code, *capsys.readouterr()


def test_a_published_network_stands_beside_its_paper(capsys) -> None:
    code, out, _ = run(capsys, "binary_densenet28", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["parameters"] == 5131496
    assert found["binary_weights"] == 4202496
    assert found["operations"] == found["full_precision_macs"] + found["binary_macs"] / 32
    assert found["size_bytes"] == sum(layer["size_bytes"] for layer in found["layers"])
    assert found["paper"]["source"] == "BDN table 6"
    assert found["paper"]["difference"] == pytest.approx((found["size_bytes"] / (4 * 2**20) - 1) * 100)


def test_an_ablation_is_recognised_by_its_settings(capsys) -> None:
    settings = ["layers=2,2,2,2", "growth_rate=128", "reduction=1,1.4,1.4", "stem=imagenet", "downsampling=binary"]
    code, out, _ = run(capsys, "binary_densenet", *settings, "t_clip=0.5", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["paper"]["size"] == "3.39 MiB"
    assert abs(found["paper"]["difference"]) < 0.1
    assert (found["input_shape"], found["classes"]) == ([224, 224, 3], 1000)


@pytest.mark.parametrize(
    "change", [["growth_rate=32"], ["--classes", "100"], ["--input-shape", "96,96,3"], ["last=binary"]]
)
def test_another_network_has_no_figure(capsys, change: list[str]) -> None:
    code, out, _ = run(capsys, "binary_densenet21", *change, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["paper"] is None


def test_published_parameters_stand_beside_ours(capsys) -> None:
    float_twin = ["input_quantizer=relu", "kernel_quantizer=float32", "downsampling=float32"]
    code, out, _ = run(capsys, "resnet34_wide", *float_twin, "--json")
    paper = json.loads(out)["paper"]
    assert code == 0
    assert (paper["parameters"], paper["moving_statistics"]) == (86_049_198, False)
    assert paper["parameters_difference"] == pytest.approx(-100 * 16_896 / 86_049_198)


def test_moving_statistics_are_told_apart(capsys) -> None:
    _, out, _ = run(capsys, "quicknet", "layers=1,1", "filters=8,16", "stem=cifar", "--json")
    found = json.loads(out)
    assert found["moving_statistics"] == sum(layer["moving_statistics"] for layer in found["layers"]) > 0
    _, text, _ = run(capsys, "quicknet", "layers=1,1", "filters=8,16", "stem=cifar")
    assert f"{found['parameters'] + found['moving_statistics']:,} with the moving statistics" in text


def test_converting_tells_the_size_of_the_file(capsys) -> None:
    small = ["binary_densenet", "layers=1,1", "--input-shape", "8,8,1", "--json"]
    code, out, _ = run(capsys, *small, "--convert")
    found = json.loads(out)
    assert code == 0
    assert found["size_bytes"] < found["file_bytes"] < found["size_bytes"] + 20_000
    _, out, _ = run(capsys, *small)
    assert json.loads(out)["file_bytes"] is None


@pytest.mark.parametrize("width", ["80", "120"])
def test_the_table_fits_the_terminal(capsys, monkeypatch, width: str) -> None:
    monkeypatch.setenv("COLUMNS", width)
    code, out, _ = run(capsys, "binary_densenet", "layers=1,1")
    assert code == 0
    assert max(map(len, out.splitlines())) <= int(width)
    for word in ("stage2_layer1_conv", "logits", "total", "operations", "moving statistics"):
        assert word in out
    assert "…" not in out


def test_a_recipe_has_its_data_sets_shape(capsys) -> None:
    code, out, _ = run(capsys, "digits", "growth_rate=8", "--json")
    found = json.loads(out)
    assert code == 0
    assert (found["kind"], found["input_shape"], found["classes"]) == ("recipe", [8, 8, 1], 10)


def test_a_model_file_has_the_operations_of_its_network(capsys, tmp_path) -> None:
    from tflbnn import networks
    from tflbnn.converter import convert

    path = tmp_path / "model.tflite"
    path.write_bytes(convert(networks.binary_densenet((8, 8, 1), 10), verify=False).flatbuffer)
    code, out, _ = run(capsys, str(path), "--json")
    found = json.loads(out)
    _, network, _ = run(capsys, "binary_densenet", "--input-shape", "8,8,1", "--json")
    assert code == 0
    assert found["kind"] == "model file"
    assert found["file_bytes"] == path.stat().st_size
    assert {key: found[key] for key in ("binary_macs", "operations")} == {
        key: json.loads(network)[key] for key in ("binary_macs", "operations")
    }


def test_binary_weights_that_are_floats_in_a_file_are_told(capsys, tmp_path) -> None:
    from tflbnn._keras import keras, lq
    from tflbnn.converter import convert

    path = tmp_path / "dense.tflite"
    model = keras.Sequential([keras.Input((33,)), lq.layers.QuantDense(7, kernel_quantizer="ste_sign", use_bias=False)])
    path.write_bytes(convert(model, verify=False).flatbuffer)
    _, out, _ = run(capsys, str(path), "--json")
    assert json.loads(out)["stored_as_floats"] == json.loads(out)["binary_weights"] == 231
    _, out, _ = run(capsys, str(path))
    assert "231 of the binary weights are floats in it" in out


def test_a_run_folder_is_counted_before_it_is_finished(capsys, tmp_path) -> None:
    recipe = recipes.get("digits").override({"growth_rate": "16"})
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.to_dict()))
    (tmp_path / "environment.json").write_text("{}")
    (tmp_path / "labels.txt").write_text("".join(f"{digit}\n" for digit in range(10)))
    code, out, _ = run(capsys, str(tmp_path), "--json")
    _, same, _ = run(capsys, "digits", "growth_rate=16", "--json")
    assert code == 0
    assert json.loads(out)["kind"] == "run"
    assert json.loads(out)["layers"] == json.loads(same)["layers"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["binary_densenet29"], "There is no network, recipe, run folder or file 'binary_densenet29'. Did you mean"),
        (["no.tflite"], "There is no network, recipe, run folder or file 'no.tflite'"),
        (["."], "A run folder holds recipe.json"),
        (["cut.tflite"], "The model file is damaged"),
        (["cut.tflite", "growth_rate=3"], "Only a network or a recipe can be changed"),
        (["binary_densenet28", "growth_rat=3"], "Did you mean 'growth_rate'?"),
        (["binary_densenet28", "growth_rate=many"], "network.growth_rate must be an integer. Received: many"),
        (["binary_densenet28", "epochs=3"], "A network has its own knobs and its binarization's. Received: epochs"),
        (["binary_densenet28", "3"], "A setting must be key=value. Received: 3"),
        (["binary_densenet28", "t_clip=0"], "t_clip must be above 0"),
        (["binary_densenet28", "--input-shape", "224,224"], "--input-shape must be height,width,channels"),
        (["binary_densenet28", "--input-shape", "31,32,3"], "at least 32×32 pixels"),
        (["binary_densenet28", "--classes", "1"], "--classes"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(capsys, tmp_path, monkeypatch, arguments, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cut.tflite").write_bytes(b"\x1c\0\0\0TFL3\0\0")
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1
