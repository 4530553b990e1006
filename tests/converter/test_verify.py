"""Verification: finds every kind of difference and says where it starts; explains ties and nothing else."""

import numpy as np
import pytest

from tests.converter.models import L, binary_conv, randomized, small
from tests.random_networks import random_network
from tflbnn import networks
from tflbnn._keras import keras, lq
from tflbnn.converter import convert
from tflbnn.converter.exact import unpack_bits
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.naming import layers_of
from tflbnn.converter.probe import Probe
from tflbnn.converter.synchronized import Fed, SynchronizedModel
from tflbnn.converter.ties import Margins
from tflbnn.converter.verify import verify
from tflbnn.errors import UserError, VerificationError
from tflbnn.runtime.metadata import seal

SAMPLES = np.random.default_rng(1).normal(size=(4, 10, 9, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def model():
    return small()


@pytest.fixture(scope="module")
def flatbuffer(model):
    return convert(model, verify=False).flatbuffer


def corrupted(flatbuffer: bytes, layer: str, place: int, change) -> bytes:
    """The file with one constant of a layer's operator changed, its checksum made good."""
    graph = Graph(flatbuffer)
    for operator in graph.operators:
        if layers_of(graph.name(operator.outputs[0]))[0] == layer and len(operator.inputs) > place:
            index = int(operator.inputs[place])
            value = graph.constant(index).copy()
            change(value)
            graph.model.buffers[graph.main.tensors[index].buffer].data = np.frombuffer(value.tobytes(), np.uint8)
            return seal(graph.pack())
    raise AssertionError(layer)


def flip_a_bit(words):
    words[5, 1, 2, 0] ^= 1 << 3


def scale(values):
    values[3] *= np.float32(1.01)


def shift(values):
    values[2] += 40


def double(values):
    values[...] *= 2


class TestDifferences:
    @pytest.mark.parametrize(
        ("layer", "place", "change", "message"),
        [
            (
                "first",
                1,
                flip_a_bit,
                "first at first: 1 of 2304 weights have the other sign, the first in output channel 5",
            ),
            ("second", 1, flip_a_bit, "first at second: 1 of 4608 weights"),
            ("first", 2, scale, "first at first: with the same input bits"),
            ("third", 2, scale, "first at third: with the same input bits"),
            ("third", 3, shift, "first at third: with the same input bits"),
            ("second", 4, shift, "first at second: .* inputs of third are on the other side"),
            ("stem", 1, double, "first at stem: .* inputs of first are on the other side"),
            ("logits", 1, double, "output probabilities of the flatbuffer differs"),
        ],
        ids=["bit", "bit before bits", "multiplier", "last multiplier", "bias", "threshold", "stem", "classifier"],
    )
    def test_a_changed_constant_is_found_where_it_is(self, model, flatbuffer, layer, place, change, message):
        with pytest.raises(VerificationError, match=message):
            verify(model, corrupted(flatbuffer, layer, place, change), SAMPLES)

    def test_another_model_of_the_same_form(self, flatbuffer):
        keras.utils.set_random_seed(5)
        other = randomized(keras.models.clone_model(small()), seed=5)
        with pytest.raises(VerificationError, match="first at"):
            verify(other, flatbuffer, SAMPLES)

    def test_another_model_of_another_form(self, model):
        image = L.Input((10, 9, 3))
        x = L.GlobalAveragePooling2D()(binary_conv(4, name="else")(image))
        with pytest.raises(VerificationError, match="else"):
            verify(model, lower(keras.Model(image, x)), SAMPLES)
        with pytest.raises(VerificationError, match="inputs have the shapes"):
            verify(model, lower(keras.Sequential([L.Input((3,)), L.Dense(4)])), SAMPLES)


class TestAgreement:
    def test_the_result(self, model, flatbuffer):
        found = verify(model, flatbuffer, SAMPLES)
        assert found["verified"] is True
        assert (found["samples"], found["binary_layers"], found["mismatches"]) == (4, 3, 0)
        assert found["kernels"][0] == "reference"
        assert [entry["layer"] for entry in found["layers"]] == ["first", "second", "third"]
        assert [entry["output"] for entry in found["layers"]] == ["float32", "bits", "float32"]
        assert [entry["products"] for entry in found["layers"]] == [144, 144, 288]
        assert found["max_abs_error"] < 1e-5

    def test_random_samples_are_made_where_none_are_given(self, model, flatbuffer):
        assert verify(model, flatbuffer) == verify(model, flatbuffer)

    @pytest.mark.parametrize("seed", [3, 18, 70, 95])
    def test_random_networks(self, seed):
        network = random_network(seed)
        found = convert(network.model, samples=network.samples).report.verification
        assert found["binary_layers"] == sum(note.startswith("bconv") for note in network.layers)

    def test_dense_layers(self):
        image = L.Input((6, 6, 8))
        x = L.Flatten()(binary_conv(8, kernel_quantizer="magnitude_aware_sign")(image))
        x = lq.layers.QuantDense(
            5, input_quantizer="ste_sign", kernel_quantizer="ste_sign", kernel_constraint="weight_clip", name="dense"
        )(x)
        model = randomized(keras.Model(image, x))
        assert convert(model).report.verification["binary_layers"] == 2

    def test_a_sign_of_its_own(self):
        image = L.Input((6, 6, 8))
        x = lq.quantizers.SteSign(name="sign")(L.Conv2D(8, 3)(image))
        x = L.Concatenate()([binary_conv(8, input_quantizer=None, name="a")(x), x])
        assert convert(randomized(keras.Model(image, x))).report.verification["verified"]

    def test_several_inputs_a_fixed_batch_and_shared_layers(self):
        a, b = (L.Input(batch_shape=(2, 6, 6, 3), name=name) for name in ("a", "b"))
        conv = binary_conv(8, name="shared")
        model = randomized(keras.Model([a, b], L.Add()([conv(a), conv(b)])))
        rng = np.random.default_rng(0)
        samples = [rng.normal(size=(4, 6, 6, 3)).astype(np.float32) for _ in range(2)]
        assert convert(model, samples=samples).report.verification["binary_layers"] == 2

    def test_a_model_is_left_as_it_was(self, model, flatbuffer):
        before = [dict(layer.__dict__) for layer in model.layers]
        verify(model, flatbuffer, SAMPLES)
        with pytest.raises(VerificationError):
            verify(model, corrupted(flatbuffer, "first", 2, scale), SAMPLES)
        assert [layer.__dict__.keys() for layer in model.layers] == [old.keys() for old in before]
        assert all("call" not in layer.__dict__ for layer in model.layers)


class TestTies:
    def feed(self, x: np.ndarray, fed: np.ndarray, near: np.ndarray | None = None):
        image = L.Input((2, 2, 3), name="x")
        model = keras.Model(image, binary_conv(2, name="it")(image))
        synchronized = SynchronizedModel(model, {"it": [Fed(fed, lambda: near)]})
        synchronized.run([x])
        (found,) = synchronized.synchronizations
        return found.ties, found.differences

    def test_a_value_within_rounding_of_0_may_have_either_sign(self):
        x = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype(np.float32)
        x[0, 0, 0] = [1e-9, -1e-9, 0]
        fed = np.where(x >= 0, 1, -1).astype(np.float32)
        assert self.feed(x, fed) == (0, 0)
        fed[0, 0, 0] = [-1, 1, -1]
        assert self.feed(x, fed) == (3, 0)
        fed[0, 1, 1, 0] *= -1
        assert self.feed(x, fed) == (3, 1)

    def test_what_rounding_may_do_depends_on_the_largest_value(self):
        x = np.full((1, 2, 2, 3), 1.0, np.float32)
        fed = np.ones_like(x)
        x[0, 0, 0, 0], fed[0, 0, 0, 0] = 1e-3, -1
        assert self.feed(x, fed) == (0, 1)
        x[0, 0, 0, 1] = 1e4
        assert self.feed(x, fed) == (1, 0)

    def test_zeros_of_a_relu_are_none(self):
        x = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype(np.float32)
        x[0, 0, 0, 0] = 0
        fed = np.where(x >= 0, 1, -1).astype(np.float32)
        fed[0, 0, 0, 0] = -1
        assert self.feed(x, fed) == (1, 0)
        clamped = np.maximum(x, 0)
        fed = np.ones_like(x)
        assert self.feed(clamped, fed) == (0, 0)
        fed[0, 0, 0, 0] = -1
        assert self.feed(clamped, fed) == (0, 1)
        clamped[0, 0, 0, 0] = 1e-9
        assert self.feed(clamped, fed) == (1, 0)

    def test_the_flatbuffers_own_number_must_be_near_0_too(self):
        x = np.random.default_rng(0).normal(size=(1, 2, 2, 3)).astype(np.float32)
        x[0, 0, 0] = [1e-9, -1e-9, 1e-9]
        fed = np.where(x >= 0, 1, -1).astype(np.float32)
        fed[0, 0, 0] *= -1
        near = np.zeros(x.shape, bool)
        near[0, 0, 0, :2] = True
        assert self.feed(x, fed, near) == (2, 1)

    @pytest.mark.parametrize("padding", ["same", "valid"])
    def test_how_near_a_bit_was(self, padding):
        """A bit's number is the convolution's sum, the sum's distance from the threshold, or the largest pooled."""
        keras.utils.set_random_seed(0)
        image = L.Input((7, 6, 33))
        x = binary_conv(40, name="bits")(image)
        x = L.MaxPool2D((3, 2), strides=(2, 1), padding=padding)(L.BatchNormalization()(x))
        model = randomized(keras.Model(image, binary_conv(4)(x)))
        graph = Graph(lower(model))
        samples = np.random.default_rng(0).normal(size=(2, 7, 6, 33)).astype(np.float32)
        values = Probe(graph.pack(), "reference").run({graph.name(int(graph.main.inputs[0])): samples})
        margins = Margins(graph, {**values, int(graph.main.inputs[0]): samples})
        missing = {"LceQuantize", "LceBconv2d", "LceBMaxPool2d"}
        for operator in graph.operators:
            index = int(operator.outputs[0])
            if values[index].dtype == np.int32:
                numbers, slack = margins._of(index)
                bits = unpack_bits(values[index], numbers.shape[-1])
                assert np.array_equal(numbers < 0, bits)
                near = margins.near(index)
                assert near.shape == bits.shape
                assert np.array_equal(near, np.abs(numbers) <= slack)
                assert near.mean() < 0.2
                missing.discard(graph.kind(operator))
        assert not missing


class TestSamples:
    @pytest.mark.parametrize(
        "samples",
        [np.zeros((2, 9, 9, 3), np.float32), np.zeros((0, 10, 9, 3), np.float32), np.zeros((10, 9, 3), np.float32)],
        ids=["size", "none", "no batch"],
    )
    def test_the_wrong_shape_is_refused(self, model, flatbuffer, samples):
        with pytest.raises(UserError, match=r"Samples must have the shape \(None, 10, 9, 3\)"):
            verify(model, flatbuffer, samples)

    def test_too_many_inputs(self, model, flatbuffer):
        with pytest.raises(UserError, match=r"The model has 1 inputs\. Received: samples for 2"):
            verify(model, flatbuffer, [SAMPLES, SAMPLES])


@pytest.fixture(scope="module")
def untrained() -> tuple[keras.Model, bytes]:
    keras.utils.set_random_seed(8)
    model = networks.real_to_binary_net((64, 64, 3))
    return model, convert(model, verify=False).flatbuffer


class TestAmplifiedRounding:
    """An untrained Real-to-Binary Net has values in the hundreds before its sigmoids and its softmax."""

    def test_it_is_measured_and_allowed(self, untrained: tuple[keras.Model, bytes]) -> None:
        found = verify(*untrained)
        assert found["verified"]
        assert 1e-4 < found["tolerance"] <= 1e-2
        assert found["max_abs_error"] <= found["tolerance"]

    def test_a_wrong_number_is_found_all_the_same(self, untrained: tuple[keras.Model, bytes]) -> None:
        model, flatbuffer = untrained
        with pytest.raises(VerificationError, match=r"output probabilities .* is rounding"):
            verify(model, corrupted(flatbuffer, "logits", 1, double))

    def test_no_other_network_gets_more_tolerance(self, model: keras.Model, flatbuffer: bytes) -> None:
        assert verify(model, flatbuffer)["tolerance"] == 1e-4
