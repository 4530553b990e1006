"""Fused graphs give the same bits as unfused ones, where the float operations are TFLite's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.delegate.float_graphs import SIDE, Author, random_graph
from tests.delegate.interpreters import RUNTIMES, Network
from tflbnn.runtime.delegate import kernels

FUSIONS = (
    "batch_norm",
    "concat",
    "residual",
    "gate",
    "prelu",
    "relu",
    "quantize",
    "blur",
    "pool",
    "conv2d",
    "depthwise",
)
FUSIONS += ("average", "dense", "excite")


def inputs(network: Network, batch: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    details = network.interpreter.get_input_details()
    return [np.round(rng.standard_normal((batch, *d["shape"][1:])), 1).astype(np.float32) for d in details]


def outputs(model: bytes, batches: tuple[int, ...] = (1,), runtime: str = RUNTIMES[0], **options: Any) -> list:
    network = Network(model, runtime, **options)
    results = []
    for batch in batches:
        if batches != (1,):
            for details in network.interpreter.get_input_details():
                network.interpreter.resize_tensor_input(details["index"], [batch, *details["shape"][1:]])
            network.interpreter.allocate_tensors()
        results += network(*inputs(network, batch, seed=batch))
    return results


def assert_equal(got: list[np.ndarray], want: list[np.ndarray], what: str) -> None:
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=what)


def parts(model: bytes, fusion: str) -> int:
    """Operations that the interpreter still runs, a delegate's part being one."""
    network = Network(model, fusion=fusion)
    plan = [d for d in network.interpreter._get_ops_details() if d["op_name"] == "DELEGATE"]
    return len(plan)


@pytest.mark.parametrize("seed", [*range(60), *(pytest.param(s, marks=pytest.mark.long) for s in range(60, 600))])
def test_random_graphs(seed: int) -> None:
    model = random_graph(seed)
    want = outputs(model, fusion="none", kernel="reference")
    for kernel in kernels():
        assert_equal(outputs(model, kernel=kernel), want, kernel)
    left_out = FUSIONS[seed % len(FUSIONS)]
    assert_equal(outputs(model, fusion=f"-{left_out}"), want, f"without {left_out}")
    alone = FUSIONS[seed // 7 % len(FUSIONS)]
    assert_equal(outputs(model, fusion=f"none,{alone}"), want, f"{alone} alone")


def block(kind: str, seed: int = 0) -> bytes:
    """The piece of network that a fusion is about; it becomes one part with the fusion, more without."""
    author = Author(np.random.default_rng(seed))
    image = author.graph.input((1, SIDE, SIDE, 64))
    x = author.conv(image, 64)
    if kind == "batch_norm":
        x = author.conv(author.batch_norm(x), 33)
    elif kind == "concat":
        x = author.concat(image, x)
        x = author.conv(author.batch_norm(author.concat(x, author.conv(author.batch_norm(x), 31))), 40)
    elif kind == "residual":
        x = author.add(author.conv(author.add(x, image, activation=1), 64), x, activation=3)
    elif kind == "gate":
        x = author.conv(author.gate(x), 5)
    elif kind == "prelu":
        x = author.conv(author.prelu(x), 5)
    elif kind == "blur":
        x = author.blur(author.add(x, image, activation=1))
    elif kind == "pool":
        x = author.pool(author.batch_norm(author.concat(x, image)), activation=1)
    elif kind == "conv2d":
        x = author.conv(author.conv2d(image, 40, stride=2, activation=1), 33)
        x = author.add(author.conv2d(x, 64, 1), author.conv(x, 64))
    elif kind == "depthwise":
        x = author.conv(author.conv2d(author.depthwise(author.conv2d(image, 16, 2, 2), 3, 2), 64, 1), 5)
    elif kind == "relu":
        x = author.conv(author.relu(x), 5)
    elif kind == "average":
        x = author.conv(author.average_pool(author.batch_norm(author.concat(x, image)), (3, 2), same=True), 5)
    elif kind in ("dense", "excite"):
        x = author.conv(author.excite(author.conv(x, 40), author.batch_norm(x)), 5)
    return author.graph.finish(x)


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("kind", [kind for kind in FUSIONS if kind != "quantize"])
def test_each_fusion(kind: str, runtime: str) -> None:
    for seed in range(4):
        model = block(kind, seed)
        # XNNPACK loses the shape of an empty batch.
        batches = (
            (1, 3, 0, 2, 1) if kind in ("batch_norm", "concat", "residual", "gate", "prelu", "relu") else (1, 3, 2, 1)
        )
        want = outputs(model, batches, runtime, fusion="none", kernel="reference")
        for kernel in kernels():
            got = outputs(model, batches, runtime, kernel=kernel)
            assert_equal(got, want, kernel)
            assert_equal(outputs(model, batches, runtime, kernel=kernel, threads=2), got, "2 threads")
    assert parts(block(kind), "all") == 1
    assert parts(block(kind), f"-{kind}") > 1


def test_several_readers_have_thresholds_of_their_own() -> None:
    author = Author(np.random.default_rng(1))
    image = author.graph.input((1, SIDE, SIDE, 33))
    x = author.conv(image, 33)
    total = x
    for _ in range(3):
        total = author.add(author.conv(author.batch_norm(x), 33), total)
    model = author.graph.finish(total, x)
    want = outputs(model, (1, 2), fusion="none", kernel="reference")
    for kernel in kernels():
        assert_equal(outputs(model, (1, 2), kernel=kernel), want, kernel)
    assert parts(model, "all") == 1


def test_a_pooling_that_is_an_output_is_not_lost() -> None:
    author = Author(np.random.default_rng(3))
    image = author.graph.input((1, SIDE, SIDE, 40))
    model = author.graph.finish(*author.blur(author.add(author.conv(image, 40), image), expose=True))
    want = outputs(model, (1, 3), fusion="none", kernel="reference")
    for kernel in kernels():
        assert_equal(outputs(model, (1, 3), kernel=kernel), want, kernel)


def test_an_excitation_is_within_rounding_of_tensorflow_lites() -> None:
    author = Author(np.random.default_rng(4))
    image = author.graph.input((1, SIDE, SIDE, 40))
    x = author.conv(image, 40)
    model = author.graph.finish(author.excite(x, x, logistic=True))
    assert parts(model, "all") == 1
    want = outputs(model, (1, 3), fusion="none", kernel="reference")
    reference = outputs(model, (1, 3), kernel="reference")
    for got, exact, stock in zip(outputs(model, (1, 3)), reference, want, strict=True):
        np.testing.assert_array_equal(got, exact)
        np.testing.assert_allclose(got, stock, rtol=1e-6, atol=1e-6)


def test_a_float_network_stays_tensorflow_lites() -> None:
    author = Author(np.random.default_rng(5))
    image = author.graph.input((1, SIDE, SIDE, 32))
    x = author.average_pool(author.relu(author.conv2d(image, 32)))
    y = author.dense(author.mean(author.pool(author.conv2d(x, 32), 2, 1)), 10)
    binary = author.graph.input((1, SIDE, SIDE, 32))
    model = author.graph.finish(y, author.conv(binary, 8))
    # The binary convolution beside it is all that the delegate takes; the rest is XNNPACK's.
    assert parts(model, "all") == 2


def test_glue_between_float_operations_is_left_alone() -> None:
    author = Author(np.random.default_rng(2))
    image = author.graph.input((1, SIDE, SIDE, 32))
    y = author.batch_norm(author.pool(author.add(author.batch_norm(image), image)))
    model = author.graph.finish(y, author.conv(image, 8))
    details = Network(model).interpreter._get_ops_details()
    # The delegate's part is the convolution; all else went to XNNPACK.
    assert sum(d["op_name"] == "DELEGATE" for d in details) == 2


def test_a_mean_of_several_tensors_is_waited_for() -> None:
    author = Author(np.random.default_rng(6))
    image = author.graph.input((1, SIDE, SIDE, 32))
    early = author.conv(image, 32)
    gated = author.conv(image, 72)
    late = author.conv(author.conv(image, 33), 40)
    vector = author.mean(author.concat(late, early), keep_dims=True)
    model = author.graph.finish(author.same("MUL", [gated, vector]))
    assert parts(model, "all") == 1
    want = outputs(model, (1, 3), fusion="none", kernel="reference")
    for kernel in kernels():
        assert_equal(outputs(model, (1, 3), kernel=kernel), want, kernel)
