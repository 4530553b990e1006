"""What rewriting passes that the converter does not have could gain: networks as they are converted, beside twins that
say the same so that LCE's converter makes of them what the pass would, or more.

The twin is a bound: no pass can be faster. Both alternate in one process, one thread, in stock TensorFlow Lite with the
delegate, whose fusions do part of this while the file is loaded, and in LCE's interpreter at its best setting.

    python benchmarks/converter_passes.py [--rounds 20]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import delegate_networks as nets
import numpy as np
import results

from tflbnn.cli._quiet import quiet_status, without_remarks
from tflbnn.runtime import Model
from tflbnn.runtime.benchmark import alternate, ratio

NAME = "converter_passes"


def _conv(x: Any, filters: int, kernel: int = 3, pad_values: float = 1.0, padding: str = "same") -> Any:
    from tflbnn import Binarization, layers

    return layers.conv2d(Binarization(pad_values=pad_values), filters, kernel, padding=padding)(x)


def _norm(x: Any) -> Any:
    from tflbnn import layers

    return layers.batch_normalization()(x)


def _dense(x: Any, units: int) -> Any:
    from tflbnn import Binarization, layers

    return layers.dense(Binarization(), units)(x)


def _chain(pad_values: float) -> Callable[[Any], Any]:
    def make(x: Any) -> Any:
        for _ in range(4):
            x = _norm(_conv(x, 128, pad_values=pad_values))
        return x

    return make


def _joined(x: Any) -> Any:
    from tflbnn._keras import keras

    return _conv(keras.layers.Concatenate()([_norm(_conv(x, 64)), _norm(_conv(x, 64))]), 128)


def _several(norm: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def make(x: Any) -> Any:
        from tflbnn._keras import keras

        x = norm(_conv(x, 128))
        return keras.layers.Add()([_conv(x, 128), _conv(x, 128), x])

    return make


def _dense_chain(x: Any) -> Any:
    for _ in range(3):
        x = _norm(_dense(x, 4096))
    return _dense(x, 1000)


def _pointwise_chain(x: Any) -> Any:
    for _ in range(3):
        x = _norm(_conv(x, 4096, 1))
    return _conv(x, 1000, 1)


def _float_inputs(x: Any) -> Any:
    """BWN: weights of one bit, activations in float."""
    from tflbnn import Binarization, layers

    for _ in range(2):
        x = layers.conv2d(Binarization.preset("bwn", scaling="none"), 128, 3, padding="same")(x)
    return x


def _bits_unpacked(flatbuffer: bytes) -> bytes:
    """The weights of every convolution in float as bits, which LceDequantize unpacks."""
    from tflbnn.converter.exact import pack_bits
    from tflbnn.converter.graph import Graph

    graph = Graph(flatbuffer)
    graph.model.metadata = None
    for operator in graph.of_kind("CONV_2D"):
        weights = int(operator.inputs[1])
        bits = graph.add_constant(f"{graph.name(weights)} bits", pack_bits(graph.constant(weights) < 0))
        unpacked = graph.add_tensor(f"{graph.name(weights)} unpacked", graph.shape(weights))
        inputs = [int(operator.inputs[0]), unpacked, *map(int, operator.inputs[2:])]
        convolution = graph.operator("CONV_2D", inputs, operator.outputs, operator.builtinOptions)
        graph.replace(operator, [graph.operator("LceDequantize", [bits], [unpacked], {}), convolution])
    return graph.pack()


def _flattened(x: Any) -> Any:
    from tflbnn._keras import keras

    return _dense(keras.layers.Flatten()(_norm(_conv(x, 64))), 1024)


# Each pass: what is converted, its twin, and the shape of the input.
PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], tuple[tuple[int, ...], tuple[int, ...]]]] = {
    "zero padding in chains": (_chain(0.0), _chain(1.0), ((28, 28, 128),) * 2),
    "quantize before concat": (_joined, lambda x: _conv(_norm(_conv(x, 128)), 128), ((28, 28, 128),) * 2),
    "BatchNorm before several": (_several(_norm), _several(lambda x: x), ((28, 28, 128),) * 2),
    "thresholds of dense layers": (_dense_chain, _pointwise_chain, ((4096,), (1, 1, 4096))),
    "quantize before reshape": (
        _flattened,
        lambda x: _conv(_norm(_conv(x, 64)), 1024, 14, padding="valid"),
        ((14, 14, 64),) * 2,
    ),
    "weights of one bit, inputs in float": (_float_inputs, _float_inputs, ((28, 28, 128),) * 2),
}
# Twins that no Keras model gives: what is made of the file.
REWRITTEN: dict[str, Callable[[bytes], bytes]] = {"weights of one bit, inputs in float": _bits_unpacked}


def measure(name: str, rounds: int) -> list[dict[str, Any]]:
    """The rows of one pass."""
    from tflbnn._keras import keras
    from tflbnn.converter import convert

    import larq_compute_engine as lce  # isort: skip  (after tflbnn._keras, which chooses Keras 2 for it)

    *makes, shapes = PAIRS[name]
    runs = {}
    for which, make, shape in zip(("as converted", "twin"), makes, shapes, strict=True):
        keras.utils.set_random_seed(nets.SEED)
        image = keras.Input(shape)
        file = convert(keras.Model(image, make(image)), verify=False).flatbuffer
        if which == "twin" and name in REWRITTEN:
            file = REWRITTEN[name](file)
        sample = np.random.default_rng(nets.SEED).standard_normal((1, *shape)).astype(np.float32)
        model = Model(file)
        theirs = lce.testing.Interpreter(file, num_threads=1, **nets.LCE_BEST).interpreter
        runs["tflbnn", which] = lambda model=model, sample=sample: model.predict(sample)
        runs["LCE, best setting", which] = lambda theirs=theirs, sample=sample: theirs.predict([sample])
    timings = alternate(runs, rounds)
    rows = []
    for runtime in ("tflbnn", "LCE, best setting"):
        plain, twin = timings[runtime, "as converted"], timings[runtime, "twin"]
        gain = ratio(plain, twin)
        rows.append(
            {
                "pass": name,
                "runtime": runtime,
                "ms_as_converted": f"{plain.median_ms:.3f}",
                "ms_twin": f"{twin.median_ms:.3f}",
                "gain_at_most": f"{gain:.2f}",
                "runs": plain.n,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    rows = []
    with quiet_status("starting") as say, without_remarks():
        for name in PAIRS:
            say(name)
            rows += measure(name, arguments.rounds)
    nets.report(NAME, rows)


if __name__ == "__main__":
    results.run(main)
