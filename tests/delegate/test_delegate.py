"""How the delegate lives in an interpreter: shapes that change, sharing, threads, options, fusion, destruction."""

from __future__ import annotations

import gc
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

from tests.delegate.interpreters import RUNTIMES, Network, load
from tests.delegate.lce_flatbuffer import Graph, pack_signs
from tests.delegate.networks import CHANNELS, SIZE, chain
from tflbnn.runtime import delegate_path
from tflbnn.runtime.delegate import kernels

CHAIN = chain()


def samples(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, SIZE, SIZE, CHANNELS)).astype(np.float32)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("threads", [1, 2])
def test_batches_come_and_go(runtime: str, threads: int) -> None:
    for kernel in kernels():
        network = Network(CHAIN.model, runtime, kernel=kernel, num_threads=threads)
        for batch in (1, 3, 0, 1, 5):
            network.resize(batch, SIZE, SIZE, CHANNELS)
            x = samples(batch, batch)
            (y,) = network(x)
            assert y.shape == (batch, 5, 5, 7)
            if batch:
                np.testing.assert_array_equal(y, CHAIN(x), err_msg=kernel)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_sizes_change(runtime: str) -> None:
    network = Network(CHAIN.model, runtime)
    for height, width in ((SIZE, SIZE), (4, 13), (1, 1), (17, 2)):
        network.resize(2, height, width, CHANNELS)
        x = np.random.default_rng(height).standard_normal((2, height, width, CHANNELS)).astype(np.float32)
        np.testing.assert_array_equal(network(x)[0], CHAIN(x))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_size_that_cannot_be_is_an_error_and_the_next_one_works(runtime: str) -> None:
    network = Network(CHAIN.model, runtime)
    with pytest.raises((RuntimeError, ValueError), match="33 channels were expected"):
        network.resize(1, SIZE, SIZE, 65)
    network.resize(1, SIZE, SIZE, CHANNELS)
    np.testing.assert_array_equal(network(samples(1))[0], CHAIN(samples(1)))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_interpreters_in_threads_share_a_delegate(runtime: str) -> None:
    first = Network(CHAIN.model, runtime, num_threads=2)
    networks = [first, *(Network(CHAIN.model, runtime, delegate=first.delegate) for _ in range(3))]
    inputs = [samples(1, seed) for seed in range(4)]
    wanted = [CHAIN(x) for x in inputs]
    wrong: list[int] = []

    def run(index: int) -> None:
        for round_ in range(60):
            at = (index + round_) % 4
            if not np.array_equal(networks[index](inputs[at])[0], wanted[at]):
                wrong.append(index)

    workers = [threading.Thread(target=run, args=(index,)) for index in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_delegate_outlives_its_interpreter() -> None:
    network = Network(CHAIN.model, num_threads=2)
    network(samples(1))
    delegate = network.delegate
    del network
    gc.collect()
    np.testing.assert_array_equal(Network(CHAIN.model, delegate=delegate)(samples(1))[0], CHAIN(samples(1)))


DESTROYED_FIRST = """
import ctypes, sys
import numpy as np
sys.path.insert(0, {root!r})
from tests.delegate.test_delegate import CHAIN, Network, samples
from tflbnn.runtime import delegate_path
network = Network(CHAIN.model, {runtime!r}, num_threads=2)
library = ctypes.CDLL(str(delegate_path()))
library.tflite_plugin_destroy_delegate.argtypes = [ctypes.c_void_p]
library.tflite_plugin_destroy_delegate(network.delegate._get_native_delegate_pointer())
network.delegate.__class__.__del__ = lambda self: None
assert np.array_equal(network(samples(1))[0], CHAIN(samples(1)))
del network
print("survived")
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_interpreter_outlives_its_delegate(runtime: str, request: pytest.FixtureRequest) -> None:
    code = DESTROYED_FIRST.format(root=str(request.config.rootpath), runtime=runtime)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("survived\n")


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_thread": "2"}, "tflbnn: unknown option. Received: num_thread. Did you mean num_threads?"),
        ({"kernel": "avx51"}, "tflbnn: unknown value of the option kernel. Received: avx51. Did you mean avx512?"),
        ({"num_threads": "0"}, "tflbnn: the option num_threads must be an integer from 1 to 256. Received: 0"),
        ({"num_threads": "many"}, "tflbnn: the option num_threads must be an integer from 1 to 256. Received: many"),
        (
            {"fusion": "-batchnorm"},
            "unknown value of the option fusion. Received: -batchnorm. Did you mean -batch_norm?",
        ),
    ],
)
def test_wrong_options_are_refused(runtime: str, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        load(runtime)[1](str(delegate_path()), options)


def test_the_environment_chooses_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFLBNN_KERNEL", "nonsense")
    with pytest.raises(ValueError, match=r"environment variable TFLBNN_KERNEL: .* Received: nonsense"):
        Network(CHAIN.model)
    np.testing.assert_array_equal(Network(CHAIN.model, kernel="scalar")(samples(1))[0], CHAIN(samples(1)))


# ---- fusion "batch_norm" -------------------------------------------------------------------------------------------


def batch_norm_model(mul: np.ndarray, add: np.ndarray, expose: str = "", quantizations: int = 1) -> bytes:
    """x * mul + add, then its signs; `expose` makes "mul" or "add" an output, too."""
    graph = Graph()
    x = graph.input((2, 3, 5, 40))
    scaled = graph.builtin("MUL", [x, graph.constant(mul)], graph.tensor((2, 3, 5, 40)))
    shifted = graph.builtin("ADD", [scaled, graph.constant(add)], graph.tensor((2, 3, 5, 40)))
    bits = [graph.quantize(shifted) for _ in range(quantizations)]
    return graph.finish(*bits, *({"mul": [scaled], "add": [shifted], "": []}[expose]))


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("expose", ["", "mul", "add"])
@pytest.mark.parametrize("quantizations", [1, 2])
def test_batch_norm_becomes_a_comparison(runtime: str, expose: str, quantizations: int) -> None:
    rng = np.random.default_rng(5)
    mul, add = rng.standard_normal((2, 40)).astype(np.float32)
    mul[:4], add[2:6] = (0, -0.0, 1e-30, -1e30), (0, -0.0, 1e-30, 1e30)
    model = batch_norm_model(mul, add, expose, quantizations)
    x = rng.standard_normal((2, 3, 5, 40)).astype(np.float32)
    x[0] = np.round(x[0], 1)
    x[1, 0] = (-add / np.where(mul == 0, 1, mul)).astype(np.float32)  # where the sign changes
    want = pack_signs((x * mul).astype(np.float32) + add)
    for kernel in kernels():
        for fusion in ("all", "none", "-batch_norm"):
            outputs = Network(model, runtime, kernel=kernel, fusion=fusion)(x)
            for bits in outputs[:quantizations]:
                np.testing.assert_array_equal(bits, want, err_msg=f"{kernel} {fusion}")


def delegated_parts(model: bytes, fusion: str) -> int:
    """Ours, and XNNPACK's where MUL and ADD were left to it."""
    details = Network(model, fusion=fusion).interpreter._get_ops_details()
    return sum(operator["op_name"] == "DELEGATE" for operator in details)


def test_batch_norm_is_absorbed_and_computed_only_for_who_needs_it() -> None:
    mul, add = np.ones((2, 40), np.float32) * np.array([[2], [3]], np.float32)
    assert delegated_parts(batch_norm_model(mul, add), "all") == 1
    assert delegated_parts(batch_norm_model(mul, add), "none") == 2
    assert delegated_parts(batch_norm_model(mul, add, "add"), "all") == 1
    x = np.random.default_rng(6).standard_normal((2, 3, 5, 40)).astype(np.float32)
    for expose, value in (("mul", x * mul), ("add", x * mul + add)):
        np.testing.assert_array_equal(Network(batch_norm_model(mul, add, expose))(x)[-1], value)


def test_constants_that_are_not_finite_are_not_fused() -> None:
    mul, add = np.full(40, np.nan, np.float32), np.full(40, np.inf, np.float32)
    x = np.ones((2, 3, 5, 40), np.float32)
    fused, plain = (Network(batch_norm_model(mul, add), fusion=fusion)(x)[0] for fusion in ("all", "none"))
    np.testing.assert_array_equal(fused, plain)
