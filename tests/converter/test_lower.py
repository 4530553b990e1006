"""Lowering: the same flatbuffer as LCE's own converter makes, names, signatures, what is refused."""

import sys
from collections import Counter

import numpy as np
import pytest

from tests.converter.models import L, binary_conv, randomized, small
from tests.runtimes import predict_keras
from tflbnn._keras import keras, lq, tf
from tflbnn.converter import convert
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import SIGNATURE, lower
from tflbnn.converter.naming import layers_of
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.flatbuffer import schema


def content(flatbuffer: bytes) -> list[tuple]:
    """A graph without its numbering and names: every operator with its options and what it computes from."""
    graph = Graph(flatbuffer)
    values: dict[int, object] = {int(index): ("input", place) for place, index in enumerate(graph.main.inputs)}

    def value(index: int) -> object:
        constant = graph.constant(int(index))
        return (constant.shape, constant.tobytes()) if constant is not None else values.get(int(index))

    result = []
    for place, operator in enumerate(graph.operators):
        options = operator.builtinOptions and sorted(
            (key, str(item)) for key, item in vars(operator.builtinOptions).items()
        )
        custom = sorted(graph.options(operator).items())
        shapes = [graph.shape(index) for index in operator.outputs]
        result.append((graph.kind(operator), options, custom, [value(index) for index in operator.inputs], shapes))
        values.update({int(index): (place, number) for number, index in enumerate(operator.outputs)})
    return [*result, ("outputs", [values[int(index)] for index in graph.main.outputs])]


def names(flatbuffer: bytes) -> tuple[list[str], list[str]]:
    signature = Graph(flatbuffer).model.signatureDefs[0]
    return [entry.name.decode() for entry in signature.inputs], [entry.name.decode() for entry in signature.outputs]


def branched() -> keras.Model:
    image, extra = L.Input((8, 8, 3), name="im-age.x"), L.Input((8, 8, 3), name="a/b")
    x = L.Concatenate()([image, extra])
    x = binary_conv(8, name="c/1")(x)
    return randomized(keras.Model([image, extra], [L.Flatten(name="z")(x), L.ReLU(name="a")(x)]))


def nested() -> keras.Model:
    block = keras.Sequential([binary_conv(8, name="conv"), L.BatchNormalization()], name="block")
    image = L.Input((8, 8, 8))
    return randomized(keras.Model(image, L.Add()([block(block(image)), image])))


class TestContent:
    @pytest.mark.parametrize("build", [small, nested], ids=lambda build: build.__name__)
    def test_it_is_what_lce_makes(self, build):
        import larq_compute_engine as lce  # after tflbnn._keras, which chooses Keras 2 for it

        model = build()
        ours, theirs = lower(model), lce.convert_keras_model(model)
        assert content(ours) == content(theirs)
        assert names(ours) == names(theirs)
        assert Graph(ours).model.signatureDefs[0].signatureKey == SIGNATURE.encode()

    def test_lce_runs_it(self):
        import larq_compute_engine as lce

        model = small()
        samples = np.random.default_rng(0).normal(size=(1, 10, 9, 3)).astype(np.float32)
        np.testing.assert_allclose(
            lce.testing.Interpreter(lower(model)).predict(samples), predict_keras(model, samples)[0], atol=1e-5
        )

    @pytest.mark.parametrize("layer", [L.Conv2D(8, 3, groups=2), L.DepthwiseConv2D(3), L.PReLU()], ids=lambda x: x.name)
    def test_variables_are_frozen_however_they_are_read(self, layer):
        image = L.Input((6, 6, 4))
        model = randomized(keras.Model(image, binary_conv(8)(layer(image))))
        samples = np.random.default_rng(0).normal(size=(1, 6, 6, 4)).astype(np.float32)
        np.testing.assert_allclose(Model(lower(model)).predict(samples), predict_keras(model, samples)[0], atol=1e-5)

    def test_a_variable_that_is_looked_up(self):
        model = keras.Sequential([L.Input((3,), dtype="int32"), L.Embedding(5, 4), L.Flatten()])
        given = Model(lower(model)).predict(np.int32([[0, 4, 2]]))
        np.testing.assert_array_equal(given[0].reshape(3, 4), model.layers[0].get_weights()[0][[0, 4, 2]])

    def test_constants_lie_at_multiples_of_16_bytes(self):
        file = lower(small())
        model = schema.Model.GetRootAs(file, 0)
        arrays = [model.Buffers(number) for number in range(model.BuffersLength())]
        starts = [array._tab.Vector(array._tab.Offset(4)) for array in arrays if not array.DataIsNone()]
        assert len(starts) > 5
        assert all(start % 16 == 0 for start in starts)


class TestInterface:
    def test_several_inputs_and_outputs_keep_names_and_order(self):
        model = branched()
        file = lower(model)
        assert names(file) == (["im-age.x", "a/b"], ["z", "a"])
        rng = np.random.default_rng(0)
        samples = [rng.normal(size=(3, 8, 8, 3)).astype(np.float32) for _ in range(2)]
        given = Model(file).predict(dict(zip(["im-age.x", "a/b"], samples, strict=True)))
        for name, expected in zip(["z", "a"], predict_keras(model, samples), strict=True):
            np.testing.assert_allclose(given[name], expected, atol=1e-5)

    @pytest.mark.parametrize("batch", [1, 2, 3, 5])
    def test_an_open_batch_becomes_1_and_can_be_resized(self, batch):
        model = small()
        file = lower(model)
        assert Graph(file).shape(0) == (1, 10, 9, 3)
        samples = np.random.default_rng(batch).normal(size=(batch, 10, 9, 3)).astype(np.float32)
        np.testing.assert_allclose(Model(file).predict(samples), predict_keras(model, samples)[0], atol=1e-5)

    def test_a_fixed_batch_stays(self):
        image = L.Input(batch_shape=(4, 6, 6, 3))
        assert Graph(lower(keras.Model(image, binary_conv(8)(image)))).shape(0) == (4, 6, 6, 3)

    def test_one_tensor_can_be_input_and_several_outputs(self):
        image = L.Input((3,), name="x")
        x = L.ReLU(name="y")(image)
        file = lower(keras.Model(image, [x, x, image]))
        signature = Graph(file).model.signatureDefs[0]
        assert len(signature.outputs) == 3
        assert signature.outputs[0].tensorIndex == signature.outputs[1].tensorIndex

    def test_a_model_stays_as_it_was(self):
        model = small()
        before = [weight.copy() for weight in model.get_weights()]
        first = lower(model)
        assert lower(model) == first
        assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


class TestNames:
    def test_operators_bear_the_names_of_their_layers(self):
        graph = Graph(lower(small()))
        named = {graph.kind(op): layers_of(graph.name(op.outputs[0]))[0] for op in graph.operators}
        assert named["CONV_2D"] == "stem"
        assert named["FULLY_CONNECTED"] == "logits"
        assert named["SOFTMAX"] == "probabilities"
        assert [layers_of(graph.name(op.outputs[0]))[0] for op in graph.of_kind("LceBconv2d")] == [
            "first",
            "second",
            "third",
        ]

    def test_long_names_and_shared_layers(self):
        name = "a_layer_" + "with_a_long_name_" * 6
        conv = binary_conv(64, groups=2, name=name)
        image = L.Input((6, 6, 64))
        block = keras.Sequential([conv, L.BatchNormalization()], name="inner")
        graph = Graph(lower(randomized(keras.Model(image, block(block(image))))))
        layers = [layers_of(graph.name(op.outputs[0]))[0] for op in graph.of_kind("LceBconv2d")]
        assert layers == [f"inner/{name}"] * 2

    def test_every_computed_tensor_has_a_name_of_its_own(self):
        graph = Graph(lower(nested()))
        counted = Counter(graph.name(index) for index in range(len(graph.main.tensors)))
        assert set(counted.values()) == {1}


class TestRefused:
    @pytest.mark.parametrize(
        ("function", "operator"),
        [
            (lambda x: tf.linalg.svd(x)[0], "Svd"),
            (lambda x: tf.math.igamma(x + 1, x), "Igamma"),
            (lambda x: tf.numpy_function(lambda y: y, [x], tf.float32), "PyFunc"),
            (lambda x: tf.while_loop(lambda y: tf.reduce_sum(y) < 9.0, lambda y: [y + 1.0], [x])[0], "WHILE"),
        ],
        ids=["svd", "igamma", "python", "loop"],
    )
    def test_a_layer_without_an_operator_is_named(self, function, operator):
        image = L.Input((4, 4))
        model = keras.Model(image, L.ReLU()(L.Lambda(function, name="culprit")(image)))
        with pytest.raises(UserError, match=f"culprit.*{operator}"):
            lower(model)

    def test_where_lce_fails_the_layer_is_found(self, monkeypatch):
        from tensorflow.core.framework.graph_pb2 import GraphDef

        import tflbnn.converter.lower  # noqa: F401

        module = sys.modules["tflbnn.converter.lower"]
        converter = module.convert_graphdef_to_tflite_flatbuffer

        def fails_on_erf(content, *arguments):
            if any(node.op == "Erf" for node in GraphDef.FromString(content).node):
                raise RuntimeError("Could not convert GraphDef.")
            return converter(content, *arguments)

        monkeypatch.setattr(module, "convert_graphdef_to_tflite_flatbuffer", fails_on_erf)
        model = keras.Sequential([L.Input((4,)), L.ReLU(), L.Dense(3), L.Lambda(tf.math.erf, name="culprit"), L.ReLU()])
        with pytest.raises(UserError, match=r"the layer culprit: Could not convert GraphDef\.") as error:
            lower(model)
        assert isinstance(error.value.__cause__, RuntimeError)

    def test_an_open_dimension(self):
        image = L.Input((None, None, 3), name="image")
        with pytest.raises(UserError, match=r"image of shape \(None, None, None, 3\)"):
            lower(keras.Model(image, L.Conv2D(2, 1)(image)))

    def test_a_model_that_was_never_called(self):
        class Subclassed(keras.Model):
            def call(self, inputs):
                return inputs

        with pytest.raises(UserError, match="must know its inputs"):
            lower(Subclassed())

    def test_half_precision(self):
        try:
            keras.mixed_precision.set_global_policy("mixed_float16")
            model = keras.Sequential([L.Input((4,)), L.Dense(2)])
        finally:
            keras.mixed_precision.set_global_policy("float32")
        with pytest.raises(UserError, match="must be float32"):
            lower(model)

    def test_quantizers_of_larq_convert(self):
        for quantizer in ("ste_sign", "approx_sign", "swish_sign", lq.quantizers.SteSign(0.3)):
            model = keras.Sequential([L.Input((4, 4, 3)), binary_conv(2, input_quantizer=quantizer)])
            assert len(Graph(lower(model)).of_kind("LceBconv2d")) == 1


@pytest.mark.long
def test_dense_layers_that_lce_would_not_survive_are_quantized_before() -> None:
    layer = lq.layers.QuantDense(
        4, input_quantizer="ste_sign", kernel_quantizer="ste_sign", kernel_constraint="weight_clip", name="fc"
    )
    image = keras.Input((2**23 + 1,))
    assert convert(keras.Model(image, layer(image)), verify=False, fail_on_float=True).report.explain[0].bits == 1
