"""Design rules: each is broken once, and kept once."""

import pytest

from tests.converter.models import L, binary_conv, randomized
from tflbnn._keras import keras, lq
from tflbnn.analysis.lint import lint
from tflbnn.converter import convert
from tflbnn.converter.lower import lower


def findings(*layers, shape=(16, 16, 32), raw=False) -> dict[str, object]:
    model = randomized(keras.Sequential([L.Input(shape), *layers]))
    flatbuffer = lower(model) if raw else convert(model, verify=False).flatbuffer
    return {finding.rule: finding for finding in lint(flatbuffer)}


CLEAN = (binary_conv(32, name="a"), L.BatchNormalization(), binary_conv(32, name="b"), L.BatchNormalization())


def test_a_good_network_has_no_findings():
    assert findings(*CLEAN) == {}


@pytest.mark.parametrize(
    ("rule", "layers", "layer", "cost"),
    [
        (
            "channels",
            (*CLEAN, binary_conv(40, name="it"), binary_conv(8, name="that")),
            "that",
            "40 input channels fill 2",
        ),
        ("zero padding", (binary_conv(32, name="it", pad_values=0.0),), "it", "zeros around an image"),
        (
            "activation before BatchNorm",
            (binary_conv(32, name="it"), L.PReLU(shared_axes=[1, 2]), L.BatchNormalization(), L.ReLU()),
            "it",
            "PRELU between convolution",
        ),
        ("first layer", (L.Conv2D(32, 7, name="it"), *CLEAN), "it", "of the estimated time"),
        ("float layer", (*CLEAN, L.Conv2D(32, 3, name="it"), *[binary_conv(32, name="c")]), "it", "float: "),
        (
            "nearly binary",
            (binary_conv(8, name="it", kernel_quantizer=None, kernel_constraint=None),),
            "it",
            "stays float: a filter's weights have more than 16 values",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_a_broken_rule_is_found(rule, layers, layer, cost):
    found = findings(*layers)[rule]
    assert (found.layer, cost in found.cost) == (layer, True)
    assert found.cure


def test_a_file_of_lces_own_is_told_to_be_optimized():
    layers = (L.Flatten(), lq.layers.QuantDense(8, name="it", input_quantizer="ste_sign", kernel_quantizer="ste_sign"))
    assert findings(*layers, raw=True)["left in float"].layer == "it"
    assert "left in float" not in findings(*layers)


def test_the_costliest_comes_first():
    model = keras.Sequential([L.Input((16, 16, 3)), L.Conv2D(33, 5), binary_conv(33), L.Conv2D(33, 3), binary_conv(8)])
    shares = [finding.share for finding in lint(convert(model, verify=False).flatbuffer)]
    assert len(shares) >= 3
    assert shares == sorted(shares, reverse=True)
