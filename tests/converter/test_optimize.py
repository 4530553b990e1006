"""Any LCE file through the passes: what it becomes, what is kept, what is refused."""

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.converter.models import L, binary_conv, binary_dense, randomized, small
from tests.runtimes import LCE_SETTINGS, predict_keras, predict_lce
from tflbnn._keras import keras
from tflbnn.cli import app
from tflbnn.converter import passes
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.optimize import optimize
from tflbnn.converter.passes.report import Matches
from tflbnn.converter.translation import require_same
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime import Model
from tflbnn.runtime.metadata import Metadata, add_metadata


def mixed() -> keras.Model:
    """A binary convolution, one of 2-bit weights, and binary dense layers."""
    keras.utils.set_random_seed(0)
    image = x = L.Input((8, 7, 16), name="image")
    x = L.BatchNormalization()(binary_conv(32, name="binary")(x))
    x = L.BatchNormalization()(binary_conv(32, name="ternary", kernel_quantizer="ste_tern")(x))
    x = L.MaxPool2D()(x)
    x = L.BatchNormalization()(binary_dense(20, name="dense")(L.Flatten()(x)))
    return randomized(keras.Model(image, binary_dense(5, name="last")(x)))


@pytest.fixture(scope="module")
def model():
    return mixed()


@pytest.fixture(scope="module")
def old(model):
    import larq_compute_engine as lce

    return lce.convert_keras_model(model)


def test_an_lce_file_runs_in_bits(model, old):
    found = optimize(old)
    graph = Graph(found.flatbuffer)
    assert not graph.of_kind("CONV_2D") + graph.of_kind("FULLY_CONNECTED")
    assert len(found.flatbuffer) < len(old) / 3
    assert found.compared == 3
    assert found.largest_difference < 1e-5
    samples = np.random.default_rng(0).normal(size=(3, 8, 7, 16)).astype(np.float32)
    expected = predict_keras(model, samples)[0]
    np.testing.assert_allclose(Model(found.flatbuffer).predict(samples), expected, atol=1e-4)
    for settings in LCE_SETTINGS.values():
        np.testing.assert_allclose(predict_lce(found.flatbuffer, samples, **settings)[0], expected, atol=1e-4)


def test_a_second_time_nothing_is_found(old):
    once = optimize(old)
    twice = optimize(once.flatbuffer)
    assert [report.matches for report in twice.passes] == [0] * len(twice.passes)
    assert twice.flatbuffer == once.flatbuffer


def test_metadata_and_names_are_kept(old):
    metadata = Metadata(name="mixed", labels=tuple("abcde"), mean=(1.0,) * 16, std=(2.0,) * 16, input_kind="feature")
    with Model(optimize(add_metadata(old, metadata)).flatbuffer) as found, Model(old) as before:
        assert found.metadata == metadata
        assert found.input_specs == before.input_specs
        assert found.output_specs == before.output_specs


def test_without_a_signature(old):
    graph = Graph(old)
    graph.model.signatureDefs = None
    assert optimize(graph.pack()).compared == 3


def test_the_rest_too(old):
    assert optimize(lower(small()), rest="int8").rest.products == ("stem;stem_norm#2",)


class _Broken:
    """A pass that forgets the bias of a dense layer, as a wrong rewrite may."""

    @staticmethod
    def rewrite(graph: Graph) -> Matches:
        for operator in graph.of_kind("LceBconv2d"):
            bias = graph.constant(int(operator.inputs[3]))
            if bias is not None and bias.any():
                zeros = graph.add_constant("no bias", np.zeros_like(bias))
                operator.inputs = np.array([*operator.inputs[:3], zeros, operator.inputs[4]], np.int32)
                return Matches([graph.name(int(operator.outputs[0]))])
        return Matches()


class TestABrokenPass:
    def test_translation_names_the_tensor(self, old):
        file = optimize(old).flatbuffer
        before, after = Graph(file), Graph(file)
        (name,) = _Broken.rewrite(after).matched
        samples = {"image": np.random.default_rng(0).normal(size=(2, 8, 7, 16)).astype(np.float32)}
        with pytest.raises(VerificationError, match=f"first at {name}"):
            require_same(before, after, samples)
        assert require_same(before, before, samples).compared == 0

    def test_optimize_refuses(self, old, monkeypatch):
        monkeypatch.setitem(passes.PASSES, "broken", _Broken)
        with pytest.raises(VerificationError, match="changed what the model computes, first at"):
            optimize(old)

    def test_convert_refuses(self, model, monkeypatch):
        from tflbnn.converter import convert

        monkeypatch.setitem(passes.PASSES, "broken", _Broken)
        with pytest.raises(VerificationError, match="first at"):
            convert(model)

    def test_a_flipped_plane_is_found(self, model):
        from tests.converter.test_verify import corrupted
        from tflbnn.converter import convert
        from tflbnn.converter.verify import verify

        flatbuffer = convert(model, verify=False).flatbuffer

        def flip(words):
            words[3, 1, 1, 0] ^= 1 << 5

        with pytest.raises(VerificationError, match=r"ternary.* no sum of the flatbuffer's 2 planes"):
            verify(model, corrupted(flatbuffer, "ternary", 1, flip))


class TestCommand:
    def test_it_writes_a_file(self, old, tmp_path):
        path = tmp_path / "old.tflite"
        path.write_bytes(old)
        result = CliRunner().invoke(app, ["optimize", str(path)])
        assert result.exit_code == 0, result.output
        assert "binary_dense" in result.output
        assert "1 → 5 binary convolutions" in result.output.replace("\n", " ")
        assert (tmp_path / "old.optimized.tflite").stat().st_size < len(old)

    def test_a_damaged_file(self, old, tmp_path):
        path = tmp_path / "old.tflite"
        path.write_bytes(old[:5000])
        with pytest.raises(UserError, match=r"old\.tflite: .*damaged"):
            CliRunner().invoke(app, ["optimize", str(path)], catch_exceptions=False)
        assert [file.name for file in tmp_path.iterdir()] == ["old.tflite"]
