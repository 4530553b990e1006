"""Explanation: what became of each layer, what stayed float and why, and the refusal of that."""

import pytest

from tests.converter.models import L, binary_conv, small
from tflbnn._keras import keras, lq
from tflbnn.converter import convert
from tflbnn.errors import UserError

SIGN = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "kernel_constraint": "weight_clip"}


def explained(*layers, shape=(6, 6, 64)) -> dict[str, object]:
    model = keras.Sequential([L.Input(shape), *layers])
    return {row.layer: row for row in convert(model, verify=False).report.explain}


def test_every_layer_has_a_row():
    model = small()
    rows = convert(model, verify=False).report.explain
    assert [row.layer for row in rows] == [layer.name for layer in model.layers[1:]]
    found = {row.layer: row for row in rows}
    assert all(found[name].bits == 1 for name in ("first", "second", "third"))
    assert all(found[name].bits == 32 for name in ("stem", "logits"))
    assert not any(row.left_in_float for row in rows)
    assert found["stem"].operators == ("CONV_2D",)
    assert "LceBconv2d" in found["first"].operators
    assert found["second_norm"].operators == ("in second",)


@pytest.mark.parametrize(
    ("layer", "reason", "binary"),
    [
        (binary_conv(8, name="it", groups=2), "1-bit", True),
        (binary_conv(8, name="it", pad_values=0.0), "1-bit", True),
        (binary_conv(8, name="it", groups=4), "multiple of 32 input channels, not 16", False),
        (lq.layers.QuantDense(8, name="it", **SIGN), "1-bit inputs and weights", True),
        (
            lq.layers.QuantDepthwiseConv2D(
                3,
                name="it",
                input_quantizer="ste_sign",
                depthwise_quantizer="ste_sign",
                depthwise_constraint="weight_clip",
            ),
            "QuantDepthwiseConv2D has no 1-bit operator",
            False,
        ),
    ],
    ids=["groups", "zero padding", "small groups", "dense", "depthwise"],
)
def test_a_layer_trained_on_1_bit(layer, reason, binary):
    row = explained(layer)["it"]
    assert row.bits == (1 if binary else 32)
    assert row.left_in_float is not binary
    assert reason in row.why


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"input_quantizer": None}, "the inputs have no quantizer"),
        ({"kernel_quantizer": None, "kernel_constraint": None}, "the weights have no quantizer"),
    ],
)
def test_a_layer_trained_on_floats_is_no_loss(arguments, reason):
    row = explained(binary_conv(8, name="it", **arguments))["it"]
    assert (row.bits, row.left_in_float) == (32, False)
    assert reason in row.why


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            {"input_quantizer": "dorefa_quantizer", "pad_values": 0.0},
            "2-bit inputs and 1-bit weights: the sum of 2 binary convolutions",
        ),
        ({"kernel_quantizer": "ste_tern"}, "1-bit inputs and 2-bit weights: the sum of 2 binary convolutions"),
    ],
)
def test_a_layer_of_few_bits(arguments, why):
    row = explained(binary_conv(8, name="it", **arguments))["it"]
    assert (row.bits, row.left_in_float, row.why) == (1, False, why)


def test_what_nearly_matched_says_why_it_did_not():
    x = lq.quantizers.DoReFa(6)
    row = explained(binary_conv(8, name="it", input_quantizer=x, pad_values=0.0))["it"]
    assert (row.bits, row.left_in_float) == (32, False)
    assert row.why == "its inputs have 6 bits, more than 4; --rest int8 serves it better"


def test_dropout_computes_nothing():
    row = explained(L.Dropout(0.5, name="it"), L.Conv2D(2, 1), L.MaxPool2D())["it"]
    assert (row.operators, row.bits) == ((), 0)


def test_float_layers_can_be_refused():
    image = L.Input((6, 6, 64))
    x = binary_conv(8, name="binary")(image)
    signs = {"input_quantizer": "ste_sign", "depthwise_quantizer": "ste_sign", "depthwise_constraint": "weight_clip"}
    model = keras.Model(image, lq.layers.QuantDepthwiseConv2D(3, name="culprit", **signs)(x))
    with pytest.raises(UserError, match=r"Received: culprit \(QuantDepthwiseConv2D has no"):
        convert(model, verify=False, fail_on_float=True)
    assert convert(small(), verify=False, fail_on_float=True).flatbuffer
