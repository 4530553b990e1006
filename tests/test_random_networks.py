"""Random networks: the delegate computes what Keras does, to the last bit, with every kernel, fused and not."""

import pytest

from tests.delegate.test_fusion import FUSIONS
from tests.random_networks import random_network
from tests.runtimes import equal, predict_delegate, predict_keras, shapes_without_samples
from tflbnn.converter import convert
from tflbnn.runtime.delegate import kernels
from tflbnn.runtime.flatbuffer import unpack

SEEDS = [*range(20), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(20, 200))]
EVERY = [{"kernel": kernel, "fusion": fusion} for kernel in kernels() for fusion in ("all", "none")]


@pytest.mark.parametrize("seed", SEEDS)
def test_delegate_equals_keras(seed):
    network = random_network(seed)
    flatbuffer = convert(network.model, verify=False).flatbuffer
    codes = [code.customCode for code in unpack(flatbuffer).operatorCodes]
    operators = unpack(flatbuffer).subgraphs[0].operators
    binary = sum(codes[operator.opcodeIndex] == b"LceBconv2d" for operator in operators)
    assert binary == sum(layer.startswith("bconv") for layer in network.layers)
    expected = predict_keras(network.model, network.samples)
    fusion = FUSIONS[seed % len(FUSIONS)]
    settings = [*EVERY, {"num_threads": 2}, {"fusion": f"-{fusion}"}, {"fusion": f"none,{fusion}"}]
    found = [predict_delegate(flatbuffer, [network.samples], **options) for options in settings]
    wrong = [options for options, outputs in zip(settings, found, strict=True) if not equal(outputs, expected)]
    assert not wrong, f"{wrong} differ from Keras on: {' | '.join(network.layers)}"
    nothing = [(0, *output.shape[1:]) for output in expected]
    assert shapes_without_samples(flatbuffer, fusion=("all", "none")[seed % 2]) == nothing


def test_a_seed_is_a_network():
    first, second = random_network(5), random_network(5)
    assert first.layers == second.layers != random_network(6).layers
    assert all(map(lambda a, b: (a == b).all(), first.model.get_weights(), second.model.get_weights()))


def test_what_fusions_touch_comes_up():
    missing = {"add", "avgpool", "blur", "bn", "concat", "gate", "maxpool", "pad", "prelu", "relu", "relu6"}
    for seed in range(40):
        missing -= {layer.split()[0] for layer in random_network(seed).layers}
        if not missing:
            break
    assert not missing
