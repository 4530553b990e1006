"""The check of model files: every kind of damage in one line, and no file that makes the process crash."""

import contextlib

import numpy as np
import pytest
from flatbuffers import flexbuffers
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime import mutants, small_models
from tests.runtime.small_models import B, Builder
from tflbnn.errors import UserError
from tflbnn.runtime.check import check_model
from tflbnn.runtime.flatbuffer import pack, schema, unpack
from tflbnn.runtime.flexmap import read_map, write_map
from tflbnn.runtime.metadata import Metadata, add_metadata
from tflbnn.runtime.schemas import MODEL, MODEL_IDENTIFIER
from tflbnn.runtime.tables import decode


def small() -> bytes:
    """A 1×1 binary convolution with a signature."""
    return small_models.binary(np.where(np.random.default_rng(0).random((4, 3)) < 0.5, -1, 1))


def convolution(**options: int) -> bytes:
    """A float convolution with options that may be wrong."""
    builder = Builder()
    x, y = builder.tensor("x", (1, 4, 4, 2)), builder.tensor("y", (1, 4, 4, 3))
    kernel = builder.constant("kernel", np.ones((3, 3, 3, 2), np.float32))
    settings_ = schema.Conv2DOptionsT()
    settings_.strideW = settings_.strideH = 1
    for name, value in options.items():
        setattr(settings_, name, value)
    builder.operator(B.CONV_2D, [x, kernel, -1], [y], settings_)
    return builder.finish([x], [y])


def changed(change) -> bytes:
    model = unpack(small())
    change(model, model.subgraphs[0])
    return pack(model)


def assign(owner, **values) -> None:
    for name, value in values.items():
        setattr(owner, name, value)


def int32(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


class TestDamage:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda m, g: assign(m, version=4), "it has version 4, not 3"),
            (lambda m, g: assign(m, subgraphs=[]), "it has no graph"),
            (lambda m, g: assign(g, inputs=int32(99)), "an input of graph 0 has number 99 of 6"),
            (lambda m, g: assign(g, outputs=int32(-1)), "an output of graph 0 has number -1"),
            (lambda m, g: assign(g.operators[0], opcodeIndex=7), "the code of operator 0 has number 7 of 2"),
            (
                lambda m, g: assign(g.operators[0], inputs=int32(77)),
                r"an input of operator 0 \(LceQuantize\) has number 77",
            ),
            (lambda m, g: assign(g.operators[0], inputs=int32(2)), "reads tensor 2, which nothing has written"),
            (lambda m, g: assign(g.operators[0], inputs=int32(-1)), "operator 0 .LceQuantize. lacks input 0"),
            (lambda m, g: assign(g.operators[0], inputs=int32(0, 0)), "operator 0 .LceQuantize. has 2 inputs"),
            (lambda m, g: assign(g.operators[0], outputs=int32()), "operator 0 .LceQuantize. has 0 outputs"),
            (lambda m, g: assign(g.operators[0], outputs=int32(3)), "writes tensor 3, which is a constant or an input"),
            (lambda m, g: assign(g, operators=g.operators[::-1]), "which nothing has written"),
            (lambda m, g: assign(g.tensors[0], shape=int32(1, -4, 5, 3)), r"tensor 0 has the shape \[1, -4, 5, 3\]"),
            (lambda m, g: assign(g.tensors[0], shape=int32(1 << 20, 1 << 20, 9)), "takes .* bytes, more than"),
            (lambda m, g: assign(g.tensors[0], shape=int32(1, 0, 5, 3)), r"tensor 0 has the empty shape"),
            (lambda m, g: assign(g.tensors[0], shape=int32(*[1] * 9)), "tensor 0 has the shape"),
            (lambda m, g: assign(g.tensors[0], shape=int32(1, 9, 5, 3)), "where .1, 9, 5, 1. follows from its inputs"),
            (lambda m, g: assign(g.tensors[0], shapeSignature=int32(-1, 4, 6, 3)), "and the signature"),
            (lambda m, g: assign(g.tensors[0], type=99), "tensor 0 has the unknown type 99"),
            (lambda m, g: assign(g.tensors[0], buffer=50), "the buffer of tensor 0 has number 50"),
            (lambda m, g: assign(g.tensors[3], shape=int32(5, 1, 1, 1)), "tensor 3 of shape .* its constant has 16"),
            (lambda m, g: assign(m.signatureDefs[0], subgraphIndex=1), "the graph of a signature has number 1 of 1"),
            (lambda m, g: assign(m.signatureDefs[0].inputs[0], tensorIndex=6), "an input or output of a signature has"),
            (
                lambda m, g: assign(m.signatureDefs[0].inputs[0], name=None),
                "an input or output of a signature has no name",
            ),
            (lambda m, g: assign(m.signatureDefs[0], signatureKey=None), "a signature has no name"),
            (
                lambda m, g: assign(g.operators[1], customOptions=np.frombuffer(b"\xff\xff\xff", np.uint8)),
                "the options of operator 1 .LceBconv2d. are broken: it is no FlexBuffer",
            ),
        ],
    )
    def test_one_line_says_what_is_wrong(self, change, message):
        with pytest.raises(UserError, match=message) as error:
            check_model(changed(change))
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"strideW": 0}, "stride_w=0"),
            ({"strideH": -1}, "stride_h=-1"),
            ({"dilationWFactor": 0}, "dilation_w_factor=0"),
            ({"dilationHFactor": 1 << 20}, "dilation_h_factor=1048576"),
            ({"padding": 3}, "padding=3"),
            ({"fusedActivationFunction": 9}, "fused_activation_function=9"),
            ({"strideW": 2}, r"an output of shape \(1, 4, 4, 3\) where \(1, 4, 2, 3\) follows"),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(UserError, match=message):
            check_model(convolution(**options))
        check_model(convolution())

    def test_options_of_another_operator(self):
        model = unpack(convolution())
        operator = model.subgraphs[0].operators[0]
        operator.builtinOptionsType, operator.builtinOptions = (
            schema.BuiltinOptions.SoftmaxOptions,
            schema.SoftmaxOptionsT(),
        )
        with pytest.raises(UserError, match=r"operator 0 \(CONV_2D\) has no Conv2DOptions"):
            check_model(pack(model))

    @pytest.mark.parametrize(("kind", "name"), [("Svd", "Svd"), (B.WHILE, "WHILE"), (250, "number 250")])
    def test_unknown_operators(self, kind, name):
        builder = Builder()
        x, y = builder.tensor("x", (1, 2)), builder.tensor("y", (1, 2))
        builder.operator(kind, [x], [y])
        with pytest.raises(UserError, match=f"Received: {name}"):
            check_model(builder.finish([x], [y]))

    def test_what_padding_asks_for_is_bounded(self):
        builder = Builder()
        x, y = builder.tensor("x", (1, 2, 2, 3)), builder.tensor("y", (1, 4, 4, 3))
        amounts = builder.constant("amounts", np.int32([[0, 0], [1 << 28, 1], [1, 1], [0, 0]]))
        builder.operator(B.PAD, [x, amounts], [y])
        with pytest.raises(UserError, match="follows from its inputs"):
            check_model(builder.finish([x], [y]))

    def test_a_changed_file_is_told_from_a_foreign_one(self):
        file = bytearray(add_metadata(small(), Metadata(name="it")))
        file[-5] ^= 1
        with pytest.raises(UserError, match="its SHA-256 is not the one it was exported with"):
            check_model(bytes(file))
        with pytest.raises(UserError, match=r"no TensorFlow Lite model: bytes 4 to 8 are b'F89a'"):
            check_model(b"....F89a....")

    @pytest.mark.parametrize("name", [b"TFLBNN_SHA256", b"TFLBNN_RECIPE"])
    def test_a_checksum_that_lost_its_name(self, name):
        file = add_metadata(small(), Metadata())
        with pytest.raises(UserError, match="damaged"):
            check_model(file.replace(name, name[:-1] + b"x"))


class TestDecoding:
    @given(st.binary(max_size=300))
    @settings(max_examples=300, deadline=None)
    def test_any_bytes(self, content):
        for file in (content, b"\x14\x00\x00\x00TFL3" + content):
            with pytest.raises(UserError):
                check_model(file)

    def test_it_agrees_with_the_generated_reader(self):
        file = add_metadata(small(), Metadata(name="it"))
        ours, theirs = decode(MODEL, "Model", file, MODEL_IDENTIFIER), unpack(file)
        assert ours["version"] == theirs.version
        graph, other = ours["subgraphs"][0], theirs.subgraphs[0]
        assert graph["inputs"].tolist() == other.inputs.tolist()
        for a, b in zip(graph["tensors"], other.tensors, strict=True):
            assert (a["name"], a["type"], a["buffer"]) == (b.name, b.type, b.buffer)
            assert a["shape"].tolist() == b.shape.tolist()
        for a, b in zip(graph["operators"], other.operators, strict=True):
            assert (a["opcode_index"], a["outputs"].tolist()) == (b.opcodeIndex, b.outputs.tolist())
            assert (a["custom_options"] is None) == (b.customOptions is None)
        for a, b in zip(ours["operator_codes"], theirs.operatorCodes, strict=True):
            assert (a["custom_code"], a["builtin_code"], a["version"]) == (b.customCode, b.builtinCode, b.version)
        for a, b in zip(ours["buffers"], theirs.buffers, strict=True):
            assert (a["data"] is None) == (b.data is None)
        names = [entry["name"] for entry in ours["metadata"]]
        assert names == [entry.name for entry in theirs.metadata]
        signature, twin = ours["signature_defs"][0], theirs.signatureDefs[0]
        assert signature["signature_key"] == twin.signatureKey
        assert [entry["name"] for entry in signature["inputs"]] == [entry.name for entry in twin.inputs]


class TestFlexMap:
    @given(
        st.dictionaries(
            st.sampled_from(["padding", "stride_width", "k", "a"]),
            st.integers(-(2**40), 2**40) | st.floats(width=32, allow_nan=False),
        )
    )
    @settings(max_examples=100, deadline=None)
    def test_it_agrees_with_flatbuffers(self, values):
        content = write_map(values)
        assert read_map(content) == flexbuffers.Loads(content) == values

    @given(st.binary(max_size=60), st.integers(0, 99))
    @settings(max_examples=300, deadline=None)
    def test_damage_is_a_value_error(self, content, position):
        whole = bytearray(write_map({"padding": 1, "channels_in": 300, "scale": 0.5}))
        whole[position % len(whole)] = content[0] if content else 0
        for data in (content, bytes(whole), bytes(whole[position % len(whole) :])):
            with contextlib.suppress(ValueError):
                assert isinstance(read_map(data), dict)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Converted models: sealed, and without metadata, so that nothing but the structure is checked."""
    from tests.converter.models import L, binary_conv, randomized
    from tests.converter.models import small as converted
    from tflbnn._keras import keras, lq, tf
    from tflbnn.converter import convert
    from tflbnn.converter.lower import lower

    image = x = L.Input((8, 8, 4))
    x = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    x = L.DepthwiseConv2D(3, padding="same")(L.PReLU(shared_axes=[1, 2])(x))
    x = L.Conv2DTranspose(4, 3, strides=2)(L.ZeroPadding2D()(x))
    x = L.UpSampling2D(interpolation="bilinear")(L.Cropping2D(3)(x))
    a, b = tf.split(x, 2, axis=3)
    x = tf.tile(tf.concat([a, b * 2.0, tf.gather(x, [2, 0], axis=3)], 3), [1, 1, 2, 1])
    x = tf.nn.space_to_depth(x, 2)
    x = binary_conv(64, groups=1)(binary_conv(64, pad_values=0.0)(x))
    x = L.MaxPool2D(2)(L.BatchNormalization()(binary_conv(64, groups=2)(x)))
    x = L.Flatten()(tf.stack(tf.unstack(x, axis=3)[:9], axis=3))
    x = lq.layers.QuantDense(
        6, input_quantizer="ste_sign", kernel_quantizer="ste_sign", kernel_constraint="weight_clip"
    )(x)
    x = L.LayerNormalization()(L.Reshape((2, 3))(x))
    many = randomized(keras.Model(image, L.Softmax()(x)))
    folder = tmp_path_factory.mktemp("models")
    contents = {
        "sealed": convert(converted(), labels=list("abcd"), verify=False).flatbuffer,
        "plain": lower(converted()),
        "many operators": lower(many),
    }
    for name, content in contents.items():
        check_model(content)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(("name", "count"), [("sealed", 400), ("plain", 800), ("many operators", 800)])
def test_no_mutant_crashes(files, name, count):
    outcome = mutants.run(files / name, 0, count)
    assert outcome.crashes == {}
    assert len(outcome.results) == count
    refused = sum(result == "UserError" for result in outcome.results.values())
    assert refused > count / 5
    if name == "sealed":  # what runs is what was not changed at all
        content = (files / name).read_bytes()
        assert {seed for seed, result in outcome.results.items() if result == "runs"} == {
            seed for seed in range(count) if mutants.mutate(content, seed) == content
        }
