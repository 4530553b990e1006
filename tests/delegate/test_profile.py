"""The options profile and verify in an interpreter."""

from __future__ import annotations

import ctypes
import threading

import numpy as np
import pytest

from tests.delegate.interpreters import RUNTIMES, Network
from tests.delegate.networks import CHANNELS, SIZE, chain
from tests.runtime import small_models
from tflbnn.errors import UserError
from tflbnn.runtime import Model, delegate_path
from tflbnn.runtime import delegate as delegates
from tflbnn.runtime.delegate import kernels

CHAIN = chain()


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(count).standard_normal((count, SIZE, SIZE, CHANNELS)).astype(np.float32)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kernel", kernels())
def test_every_operation_is_listed(runtime: str, kernel: str) -> None:
    network = Network(CHAIN.model, runtime, kernel=kernel, num_threads=2, profile="true")
    network.resize(2, SIZE, SIZE, CHANNELS)
    for _ in range(3):
        np.testing.assert_array_equal(network(samples(2))[0], CHAIN(samples(2)))
    found = delegates.profile(network.delegate)
    assert found["threads"] == 2
    assert found["clock_ghz"] > 0
    quantize, first, pool, second = found["operations"]
    assert [row["op"] for row in found["operations"]] == ["LceQuantize", "LceBconv2d", "LceBMaxPool2d", "LceBconv2d"]
    assert [row["stages"] for row in found["operations"]] == ["bits", "", "", "store"]
    assert quantize["inputs"] == [{"name": "t0", "type": "float32", "shape": [2, SIZE, SIZE, CHANNELS]}]
    assert first["outputs"][0]["shape"] == [2, SIZE, SIZE, 2]
    assert first["binary_macs"] == 2 * SIZE * SIZE * 40 * 9 * CHANNELS
    assert second["binary_macs"] == 2 * 5 * 5 * 7 * 9 * 40
    assert pool["binary_macs"] == 0
    assert pool["macs_per_cycle"] is None
    for row in found["operations"]:
        assert row["runs"] == 3
        assert 0 < row["best_ms"] <= row["median_ms"] <= row["total_ms"]
    assert first["kernel"] == kernel
    if first["bound_macs_per_cycle"] is not None:
        assert first["share_of_bound"] == pytest.approx(
            first["macs_per_cycle"] / first["bound_macs_per_cycle"], rel=1e-4
        )
    cycles = first["median_ms"] * 1e6 * found["clock_ghz"]
    assert first["macs_per_cycle"] == pytest.approx(first["binary_macs"] / cycles, rel=1e-3)


def test_interpreters_come_and_go() -> None:
    first = Network(CHAIN.model, profile="true")
    second = Network(CHAIN.model, delegate=first.delegate)
    first(samples(1))
    for _ in range(2):
        second(samples(1))
    rows = delegates.profile(first.delegate)["operations"]
    assert [(row["partition"], row["index"], row["runs"]) for row in rows] == [
        *((0, i, 1) for i in range(4)),
        *((1, i, 2) for i in range(4)),
    ]
    delegate = first.delegate
    del first
    assert [row["partition"] for row in delegates.profile(delegate)["operations"]] == [1] * 4


def test_reading_while_it_runs() -> None:
    network = Network(CHAIN.model, profile="true", num_threads=2)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            network(samples(1))

    thread = threading.Thread(target=work)
    thread.start()
    runs = [sum(row["runs"] for row in delegates.profile(network.delegate)["operations"]) for _ in range(20)]
    stop.set()
    thread.join()
    assert runs == sorted(runs)


def test_a_short_buffer_gets_the_beginning() -> None:
    library = ctypes.CDLL(str(delegate_path()))
    library.tflbnn_delegate_profile.restype = ctypes.c_ssize_t
    network = Network(CHAIN.model, profile="true")
    pointer = ctypes.c_void_p(network.delegate._get_native_delegate_pointer())
    buffer = ctypes.create_string_buffer(b"x" * 20)
    assert library.tflbnn_delegate_profile(pointer, buffer, ctypes.c_size_t(11)) > 100
    assert buffer.raw[:12] == b'{"threads"\0x'
    assert library.tflbnn_delegate_profile(pointer, None, ctypes.c_size_t(0)) > 100


def test_the_model_gives_its_profile() -> None:
    with Model(small_models.binary(np.ones((7, 33))), profile=True) as model:
        model.predict(np.zeros((2, 4, 5, 33), np.float32))
        assert [row["runs"] for row in model.profile()["operations"]] == [1, 1]
    with pytest.raises(UserError, match="closed model"):
        model.profile()


@pytest.mark.parametrize("options", [{}, {"profile": True, "delegate": False}], ids=str)
def test_no_profile_was_asked_for(options: dict[str, bool]) -> None:
    with pytest.raises(UserError, match="profile=True"):
        Model(small_models.doubling(), **options).profile()
    with pytest.raises(UserError, match="profile=true"):
        delegates.profile(delegates.load())


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kernel", kernels())
@pytest.mark.parametrize("profile", ["true", "false"])
def test_verification_lets_right_kernels_pass(runtime: str, kernel: str, profile: str) -> None:
    network = Network(CHAIN.model, runtime, kernel=kernel, num_threads=2, verify="true", profile=profile)
    for batch in (1, 3, 0, 2):
        network.resize(batch, SIZE, SIZE, CHANNELS)
        (y,) = network(samples(batch))
        if batch:
            np.testing.assert_array_equal(y, CHAIN(samples(batch)))
