"""Random networks: the delegate computes what Keras does, to the last bit, with every kernel."""

import pytest

from tests.random_networks import random_network
from tests.runtimes import equal, predict_delegate, predict_keras
from tflbnn.converter import convert
from tflbnn.runtime.delegate import kernels
from tflbnn.runtime.flatbuffer import unpack

SEEDS = [*range(40), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(40, 200))]


@pytest.mark.parametrize("seed", SEEDS)
def test_delegate_equals_keras(seed):
    network = random_network(seed)
    flatbuffer = convert(network.model, verify=False).flatbuffer
    codes = [code.customCode for code in unpack(flatbuffer).operatorCodes]
    operators = unpack(flatbuffer).subgraphs[0].operators
    binary = sum(codes[operator.opcodeIndex] == b"LceBconv2d" for operator in operators)
    assert binary == sum(layer.startswith("bconv") for layer in network.layers)
    expected = predict_keras(network.model, network.samples)
    runs = [(kernel, 1) for kernel in kernels()] + [(kernels()[0], 2)]
    wrong = [run for run in runs if not equal(predict_delegate(flatbuffer, network.samples, *run), expected)]
    assert not wrong, f"{wrong} differ from Keras on: {' | '.join(network.layers)}"


def test_a_seed_is_a_network():
    first, second = random_network(5), random_network(5)
    assert first.layers == second.layers != random_network(6).layers
    assert all(map(lambda a, b: (a == b).all(), first.model.get_weights(), second.model.get_weights()))
