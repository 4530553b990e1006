"""Exporting a run, and the commands export and verify."""

import hashlib
import json
import shutil

import numpy as np
import pytest

from tflbnn import recipes
from tflbnn.cli import main
from tflbnn.converter import Metadata, convert, export
from tflbnn.converter.export import describe
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.check import check_model
from tflbnn.runtime.metadata import add_metadata, read_metadata
from tflbnn.training import Run


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from tflbnn.training.fit import train

    recipe = recipes.get("digits").override({"network.growth_rate": "8"})
    return train(recipe, tmp_path_factory.mktemp("runs") / "digits", smoke=True).path


@pytest.fixture
def run(trained, tmp_path):
    return Run.open(shutil.copytree(trained, tmp_path / "run"))


def command(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return end.value.code, *capsys.readouterr()


def files(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


class TestExport:
    def test_the_run_folder_gets_both_files(self, run):
        before = files(run.path)
        exported = export(run)
        assert files(run.path) - before == {"model.tflite", "verification.json"}
        content = run.model_tflite.read_bytes()
        assert content == exported.conversion.flatbuffer
        verification = json.loads(run.verification_json.read_text())
        assert verification["verified"] is True
        assert verification["samples_from"] == "digits"
        assert verification["model_sha256"] == hashlib.sha256(content).hexdigest()

    def test_the_file_describes_itself(self, run):
        export(run)
        check_model(run.model_tflite.read_bytes())
        found = read_metadata(run.model_tflite.read_bytes())
        assert found.labels == tuple("0123456789")
        assert found.mean == pytest.approx(run.normalization.mean)
        assert found.std == pytest.approx(run.normalization.std)
        assert found.recipe == json.loads(json.dumps(run.recipe.to_dict()))
        assert found.accuracy == run.metrics["test_accuracy"]
        assert {"tflbnn", "tensorflow", "larq"} <= found.versions.keys()

    def test_it_predicts_as_keras_does(self, run):
        from tflbnn import data

        export(run)
        images = run.normalization.apply(data.load(run.recipe.data).test.x[:50])
        expected = run.load_model().predict(images, verbose=0)
        assert (Model(run.model_tflite).predict(images).argmax(1) == expected.argmax(1)).all()

    def test_another_file(self, run, tmp_path):
        exported = export(run, tmp_path / "new" / "small.tflite", labels=[f"class {n}" for n in range(10)])
        assert files(tmp_path / "new") == {"small.tflite", "small.verification.json"}
        assert exported.verification.name == "small.verification.json"
        assert read_metadata(exported.model.read_bytes()).labels[3] == "class 3"
        assert not run.model_tflite.exists()

    def test_the_same_run_gives_the_same_file(self, run, tmp_path):
        assert export(run).model.read_bytes() == export(run, tmp_path / "b.tflite").model.read_bytes()

    def test_nothing_is_written_when_it_fails(self, run, tmp_path, monkeypatch):
        before = files(run.path)
        with pytest.raises(UserError, match=r"10 outputs\. Received: 2 labels"):
            export(run, labels=["a", "b"])
        with pytest.raises(UserError, match="a folder"):
            export(run, run.path)
        with pytest.raises(UserError, match="Cannot write"):
            export(run, run.path / "recipe.json" / "model.tflite")

        def fails(*arguments):
            raise VerificationError("first at nowhere")

        monkeypatch.setattr("tflbnn.converter._verify", fails)
        with pytest.raises(VerificationError):
            export(run)
        assert files(run.path) == before

    def test_an_unfinished_run(self, run):
        (run.path / "metrics.json").unlink()
        with pytest.raises(UserError, match="The run must be finished"):
            export(Run.open(run.path))

    def test_progress_is_told(self, run):
        told = []
        export(run, progress=told.append)
        assert told == ["loading the run's model", "converting and verifying", f"writing {run.model_tflite}"]


class TestCommands:
    def test_export_then_verify(self, run, capsys):
        code, out, _ = command(capsys, "export", run.path, "--json")
        found = json.loads(out)
        assert code == 0
        assert found["verified"] is True
        assert found["size_bytes"] == run.model_tflite.stat().st_size
        assert found["left_in_float"] == []
        assert {row["bits"] for row in found["explain"]} == {0, 1, 32}
        code, out, _ = command(capsys, "verify", run.path, run.model_tflite, "--json")
        found = json.loads(out)
        assert code == 0
        assert (found["verified"], found["mismatches"], len(found["layers"])) == (True, 0, found["binary_layers"])

    def test_explain_prints_a_row_a_layer(self, run, capsys):
        code, out, _ = command(capsys, "export", run.path, "--explain", "--fail-on-float")
        assert code == 0
        assert "stage1_layer1_conv" in out
        assert "bit for bit" in out
        assert "stage1" not in command(capsys, "export", run.path)[1]

    def test_labels_from_a_file(self, run, capsys, tmp_path):
        (tmp_path / "names.txt").write_text("\n".join(f"class {n}" for n in range(10)))
        assert command(capsys, "export", run.path, "--labels", tmp_path / "names.txt")[0] == 0
        assert read_metadata(run.model_tflite.read_bytes()).labels[9] == "class 9"

    def test_wrong_inputs_are_exit_code_2_in_one_line(self, run, capsys, tmp_path):
        (tmp_path / "latin").write_bytes(b"\xff\xfe\xff")
        (tmp_path / "noise.tflite").write_bytes(b"noise, nothing but noise")
        for arguments in (
            ("export", tmp_path / "nowhere"),
            ("export", run.path, "--labels", tmp_path / "nowhere.txt"),
            ("export", run.path, "--labels", tmp_path / "latin"),
            ("export", run.path, "-o", tmp_path),
            ("export", run.path, "--data-dir", tmp_path / "nowhere"),
            ("verify", run.path),
            ("verify", run.path, tmp_path / "nowhere.tflite"),
            ("verify", run.path, tmp_path / "noise.tflite"),
            ("verify", run.path, tmp_path),
        ):
            code, out, err = command(capsys, *arguments)
            assert (code, out) == (2, ""), arguments
            assert len(err.strip().splitlines()) == 1, arguments

    def test_another_models_file_is_exit_code_3(self, run, capsys, tmp_path):
        model = run.load_model()
        kernel = model.get_layer("stage1_layer1_conv").kernel
        kernel.assign_add(np.full(kernel.shape, 9.0))
        (tmp_path / "other.tflite").write_bytes(convert(model, verify=False).flatbuffer)
        code, _, err = command(capsys, "verify", run.path, tmp_path / "other.tflite")
        assert code == 3
        assert "first at stage1_layer1_conv" in err


def test_metadata_given_to_convert_is_kept(run):
    described = describe(run)
    file = convert(run.load_model(), metadata=described, labels=list("abcdefghij"), verify=False).flatbuffer
    found = read_metadata(file)
    assert (found.name, found.labels) == ("digits", tuple("abcdefghij"))
    assert add_metadata(file, found) == file
    assert isinstance(found, Metadata)
