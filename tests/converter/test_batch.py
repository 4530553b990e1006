"""Passes that keep a converted model open to every batch: gates, and reshapes to constant shapes."""

import numpy as np
import pytest
from ai_edge_litert import interpreter as litert

from tests.converter.models import L, binary_conv, randomized
from tests.delegate.interpreters import Network
from tests.delegate.test_fusion import parts
from tests.runtimes import predict_keras
from tflbnn._keras import keras, tf
from tflbnn.converter import convert
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.passes import align_batch, open_reshapes
from tflbnn.runtime import Model
from tflbnn.runtime.check import check_model
from tflbnn.runtime.delegate import kernels

SIDE = 3
BATCHES = (0, 1, SIDE, 4)  # SIDE: as large as the image is wide, where factors could go to columns
OPERATORS = {
    "ADD": tf.add,
    "SUB": tf.subtract,
    "MUL": tf.multiply,
    "DIV": tf.divide,
    "MAXIMUM": tf.maximum,
    "MINIMUM": tf.minimum,
}


def factors(image, *shape: int):
    """Positive numbers that every sample has of its own."""
    x = L.GlobalMaxPooling2D()(image)
    return L.Reshape(shape)(L.Dense(int(np.prod(shape)), activation="exponential")(x))


def gated(operation=tf.multiply, shape=(1, 1, 8), first: bool = False) -> keras.Model:
    """A float convolution's result with factors for each channel."""
    keras.utils.set_random_seed(0)
    image = L.Input((SIDE, SIDE, 8))
    pair = [L.Conv2D(8, 3, padding="same")(image), factors(image, *shape)]
    return keras.Model(image, operation(*(pair[::-1] if first else pair)))


def gated_binary() -> keras.Model:
    """Factors between two binary convolutions."""
    keras.utils.set_random_seed(0)
    image = L.Input((SIDE, SIDE, 8))
    x = L.Multiply()([binary_conv(8)(image), factors(image, 1, 1, 8)])
    return randomized(keras.Model(image, binary_conv(5)(x)))


def samples(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=(number, SIDE, SIDE, 8)).astype(np.float32)


def of_batch(flatbuffer: bytes, number: int) -> bytes:
    """The file with another batch of its own, for an interpreter that cannot be resized."""
    graph = Graph(flatbuffer)
    for index in graph.main.inputs:
        graph.main.tensors[index].shape = np.array([number, *graph.shape(int(index))[1:]], np.int32)
    return graph.pack()


def predict_stock(flatbuffer: bytes, batch: np.ndarray) -> np.ndarray:
    """TensorFlow Lite without the delegate, which then knows no binary operators."""
    # XNNPACK's convolutions make up a shape for no samples.
    kernel = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    runtime = litert.Interpreter(model_content=flatbuffer, experimental_op_resolver_type=kernel)
    runtime.resize_tensor_input(runtime.get_input_details()[0]["index"], batch.shape)
    runtime.allocate_tensors()
    runtime.set_tensor(runtime.get_input_details()[0]["index"], batch)
    runtime.invoke()
    return runtime.get_tensor(runtime.get_output_details()[0]["index"])


def agrees(model: keras.Model, number: int, *given: np.ndarray) -> bool:
    """Whether the outputs for a batch are Keras's; for no samples it makes up a shape, too."""
    if number == 0:
        return [output.shape for output in given] == [(0, *output.shape[1:]) for output in model.outputs]
    return all(map(close, given, predict_keras(model, samples(number))))


def close(given: np.ndarray, expected: np.ndarray) -> bool:
    return given.shape == expected.shape and np.allclose(given, expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def binary() -> tuple[keras.Model, bytes]:
    model = gated_binary()
    return model, convert(model, samples=samples(SIDE)).flatbuffer


class TestAlignBatch:
    @pytest.mark.parametrize("first", [False, True], ids=["second", "first"])
    @pytest.mark.parametrize("kind", OPERATORS)
    def test_stock_tflite_at_every_batch(self, kind, first):
        model = gated(OPERATORS[kind], first=first)
        flatbuffer = convert(model, samples=samples(SIDE)).flatbuffer
        check_model(flatbuffer)
        assert len(Graph(flatbuffer).of_kind(kind)) == 1
        for number in BATCHES:
            assert agrees(model, number, predict_stock(flatbuffer, samples(number)))

    @pytest.mark.parametrize("fusion", ["all", "-gate"])
    @pytest.mark.parametrize("kernel", kernels())
    def test_the_delegate_at_every_batch(self, binary, kernel, fusion):
        model, flatbuffer = binary
        network = Network(flatbuffer, kernel=kernel, fusion=fusion)
        for number in BATCHES:
            network.resize(number, SIDE, SIDE, 8)
            assert agrees(model, number, *network(samples(number)))

    def test_the_delegate_fuses_the_gate(self, binary):
        model, flatbuffer = binary
        assert parts(flatbuffer, "all") < parts(flatbuffer, "-gate")
        with Model(flatbuffer) as runtime:
            for number in BATCHES:
                assert agrees(model, number, runtime.predict(samples(number)))

    def test_lces_interpreter_at_every_batch(self, binary):
        import larq_compute_engine as lce

        model, flatbuffer = binary
        for number in (1, SIDE, 4):
            interpreter = lce.testing.Interpreter(of_batch(flatbuffer, number), num_threads=1)
            assert agrees(model, number, *interpreter.interpreter.predict([samples(number)]))

    def test_factors_that_two_read_are_reshaped_once(self):
        image = L.Input((SIDE, SIDE, 8))
        shared = factors(image, 1, 1, 8)
        graph = Graph(lower(keras.Model(image, tf.subtract(L.Multiply()([image, shared]), shared))))
        notes = align_batch.rewrite(graph).matched
        matches = len(notes)
        assert matches == len(notes) == 2
        (reshape,) = graph.of_kind("RESHAPE")
        assert graph.constant(int(reshape.inputs[1])).tolist() == [-1, 1, 1, 8]
        assert graph.shape(int(reshape.outputs[0])) == (1, 1, 1, 8)
        assert not align_batch.rewrite(graph).matched

    def test_factors_that_are_an_input(self):
        images, given = L.Input((SIDE, SIDE, 8), name="images"), L.Input((8,), name="given")
        model = keras.Model([images, given], L.Multiply()([images, L.Reshape((1, 1, 8))(given)]))
        fed = {"images": samples(SIDE), "given": samples(SIDE)[:, 0, 0]}
        with Model(convert(model, verify=False).flatbuffer) as runtime:
            assert close(runtime.predict(fed), fed["images"] * fed["given"][:, None, None])

    def test_what_is_no_batch_is_left_alone(self):
        constants = L.Input((SIDE, SIDE, 8))
        several = L.Input(batch_shape=(SIDE, SIDE, SIDE, 8))
        for image, x in (
            (constants, constants * np.arange(8, dtype=np.float32)[None]),
            (several, several * tf.reduce_mean(several, [0, 1])),
        ):
            graph = Graph(lower(keras.Model(image, x)))
            before = graph.pack()
            assert not align_batch.rewrite(graph).matched
            assert graph.pack() == before


class TestOpenReshapes:
    @pytest.mark.parametrize("shape", [(1, 1, 1), (1, SIDE, 8)], ids=["one factor", "factors of columns"])
    def test_factors_whose_reshape_lce_keeps(self, shape):
        model = gated(shape=shape)
        flatbuffer = convert(model, samples=samples(SIDE)).flatbuffer
        for number in BATCHES:
            assert agrees(model, number, predict_stock(flatbuffer, samples(number)))

    def test_reshapes_in_a_row(self):
        image = L.Input((SIDE, SIDE, 8))
        x = L.Conv1D(4, 2)(L.Reshape((SIDE * SIDE, 8))(image))
        model = keras.Model(image, [L.Reshape((2, -1))(x), L.Reshape((-1, 1, 4))(x)])
        graph = Graph(lower(model))
        matches = len(open_reshapes.rewrite(graph).matched)
        assert matches == 3
        assert not open_reshapes.rewrite(graph).matched
        with Model(convert(model, samples=samples(SIDE)).flatbuffer) as runtime:
            for number in BATCHES:
                assert agrees(model, number, *runtime.predict(samples(number)).values())
            assert runtime._resizable

    def test_another_batch_stays(self):
        image = L.Input(batch_shape=(2, SIDE, SIDE, 8))
        graph = Graph(lower(keras.Model(image, L.Reshape((SIDE * SIDE, 8))(image))))
        assert not open_reshapes.rewrite(graph).matched
