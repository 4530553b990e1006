"""Models that no converter writes: each gives one clear error, and none kills the process."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.delegate.lce_flatbuffer import Graph, conv_options, options, pack_signs, pool_options
from tests.delegate.networks import chain


def convolution(
    custom_options: bytes | None = b"",
    filters: np.ndarray | None = None,
    multiplier: np.ndarray | None = None,
    shape: tuple[int, ...] = (1, 5, 5, 2),
    output_type: str = "float32",
    constant: bool = True,
    inputs: int = 5,
    filter_shape: tuple[int, ...] | None = None,
    scale: float | None = None,
) -> bytes:
    """[1, 5, 5, 33 channels] to 4 channels by 3x3, with one thing wrong."""
    graph = Graph()
    filters = pack_signs(np.ones((4, 3, 3, 33))) if filters is None else filters
    multiplier = np.ones(4, np.float32) if multiplier is None else multiplier
    x = graph.input(shape, "int32")
    if constant:
        weights = graph.constant(filters)
        if filter_shape:
            graph.graph.tensors[weights].shape = list(filter_shape)
    else:
        weights = graph.input(filters.shape, "int32")
    tensors = [x, weights, graph.constant(multiplier), graph.constant(np.ones(4, np.float32)), -1]
    quantization = {} if scale is None else {"scale": scale}
    output = graph.tensor((1, 5, 5, 4), output_type, **quantization)
    chosen = conv_options(33) if custom_options == b"" else custom_options
    return graph.finish(graph.custom("LceBconv2d", tensors[:inputs], output, chosen))


def unary(name: str, input_type: str, output_type: str, custom_options: bytes | None = None, shape=(1, 4, 4, 1), **kw):
    graph = Graph()
    return graph.finish(
        graph.custom(name, [graph.input(shape, input_type)], graph.tensor(shape, output_type, **kw), custom_options)
    )


WRONG = {
    "no_options": (convolution(None), "the options are no FlexBuffer map"),
    "text_options": (convolution(b"stride"), "the options are no FlexBuffer map"),
    "missing_option": (convolution(options(channels_in=33)), "the option stride_height is missing"),
    "text_option": (convolution(conv_options(33, stride_width="two")), "the option stride_width is no 32-bit integer"),
    "huge_option": (convolution(conv_options(33, stride_width=2**40)), "the option stride_width is no 32-bit integer"),
    "stride_0": (convolution(conv_options(33, stride_height=0)), "filter, stride and dilation must be positive"),
    "dilation_0": (
        convolution(conv_options(33, dilation_width_factor=0)),
        "filter, stride and dilation must be positive",
    ),
    "dilation_negative": (convolution(conv_options(33, dilation_width_factor=-3)), "must be positive"),
    "padding_2": (convolution(conv_options(33, padding=2)), r"padding must be 0 \(SAME\) or 1 \(VALID\)"),
    "pad_values_2": (convolution(conv_options(33, pad_values=2)), "pad_values must be 0 or 1"),
    "activation_9": (convolution(conv_options(33, fused_activation_function=9)), "fused_activation_function must be"),
    "channels_0": (convolution(conv_options(0)), "does not fit 0 input channels"),
    "channels_negative": (convolution(conv_options(-(2**31))), "does not fit -2147483648 input channels"),
    "channels_other": (convolution(conv_options(65)), "does not fit 65 input channels"),
    "channels_huge": (convolution(conv_options(2**31 - 1)), "channels"),
    "groups_uneven": (convolution(conv_options(100)), "multiple of 32 input channels"),
    "groups_undivided": (convolution(conv_options(192), shape=(1, 5, 5, 6)), "groups must divide the channels"),
    "input_words": (convolution(shape=(1, 5, 5, 3)), "33 input channels are 2 words"),
    "input_rank": (convolution(shape=(5, 5, 2)), "the input must have 4 dimensions"),
    "input_too_small": (convolution(conv_options(33, padding=1), shape=(1, 2, 2, 2)), "VALID padding needs an input"),
    "filter_not_constant": (convolution(constant=False), "the filter must be a constant of the model"),
    "filter_float": (convolution(filters=np.ones((4, 3, 3, 2), np.float32)), "the filter has the wrong type"),
    "filter_rank": (convolution(filters=np.ones((4, 9, 2), np.int32)), "the filter must have 4 dimensions"),
    "filter_empty": (convolution(filters=np.ones((4, 0, 3, 2), np.int32)), ""),
    "filter_shape": (convolution(filter_shape=(4, 3, 3, 200)), ""),
    "filter_overflow": (convolution(filter_shape=(2**30, 2**30, 2**30, 2)), ""),
    "multiplier_short": (convolution(multiplier=np.ones(3, np.float32)), "one element for each of 4 channels"),
    "multiplier_rank": (convolution(multiplier=np.ones((4, 1), np.float32)), "one element for each of 4 channels"),
    "multiplier_int": (convolution(multiplier=np.ones(4, np.int32)), "the multiplier has the wrong type"),
    "no_thresholds": (convolution(output_type="int32"), "the thresholds must not be absent"),
    "output_int64": (convolution(output_type="int64"), "the output must be float32, int8 or int32"),
    "output_int8_without_scale": (convolution(output_type="int8"), "an int8 output needs a positive scale"),
    "three_inputs": (convolution(inputs=3), "it must have 5 inputs and 1 output"),
    "quantize_int32": (unary("LceQuantize", "int32", "int32"), "the input must be float32 or int8"),
    "quantize_to_float": (unary("LceQuantize", "float32", "float32"), "the output must be int32"),
    "dequantize_float": (unary("LceDequantize", "float32", "float32"), "the input must be int32"),
    "dequantize_words": (
        unary("LceDequantize", "int32", "float32", shape=(1, 4, 4, 40)),
        "channels do not fit the input",
    ),
    "dequantize_without_scale": (unary("LceDequantize", "int32", "int8"), "needs a positive scale"),
    "pool_float": (unary("LceBMaxPool2d", "float32", "int32", pool_options()), "must be int32"),
    "pool_stride_0": (unary("LceBMaxPool2d", "int32", "int32", pool_options(stride_width=0)), "must be positive"),
    "pool_too_large": (
        unary("LceBMaxPool2d", "int32", "int32", pool_options(filter_width=9, padding=1)),
        "VALID padding needs an input",
    ),
    "pool_no_options": (unary("LceBMaxPool2d", "int32", "int32"), "the options are no FlexBuffer map"),
    "unknown_operation": (unary("LceSomething", "int32", "int32"), "unresolved custom op: LceSomething"),
    "huge_input": (convolution(shape=(1, 2**30, 2**30, 2)), ""),
}


def run(folder: Path, models: dict[str, bytes]) -> dict[str, str]:
    """Each model's error; fails where the child process dies."""
    for name, model in models.items():
        (folder / f"{name}.tflite").write_bytes(model)
    script = Path(__file__).with_name("try_models.py")
    child = subprocess.run([sys.executable, script, folder], capture_output=True, text=True)
    lines = [json.loads(line) for line in child.stdout.splitlines()]
    assert child.returncode == 0, f"{lines[-1] if lines else 'nothing'} {child.stderr[-2000:]}"
    return {line["name"]: line["error"] for line in lines if "name" in line}


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return run(tmp_path_factory.mktemp("models"), {name: model for name, (model, _) in WRONG.items()})


@pytest.mark.parametrize("name", WRONG)
def test_wrong_models_give_one_clear_error(name: str, errors: dict[str, str]) -> None:
    wanted = WRONG[name][1]
    assert errors[name]
    ours = [line for line in errors[name].splitlines() if "tflbnn: " in line]
    assert len(ours) <= 1
    if wanted:
        assert re.search(wanted, "\n".join(ours) or errors[name])


def mutants(count: int, seed: int) -> dict[str, bytes]:
    """The chain with options, shapes, types and tensor numbers changed at random, still a readable file."""
    rng = np.random.default_rng(seed)
    original = chain().model
    result = {}
    for index in range(count):
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(original, 0))
        graph = model.subgraphs[0]
        for _ in range(int(rng.integers(1, 4))):
            tensor = graph.tensors[rng.integers(len(graph.tensors))]
            operator = graph.operators[rng.integers(len(graph.operators))]
            what = rng.integers(5)
            if what == 0 and operator.customOptions is not None:
                changed = np.array(operator.customOptions, np.uint8)
                changed[rng.integers(len(changed))] = rng.choice([0, 1, 2, 127, 255, rng.integers(256)])
                operator.customOptions = changed[: rng.integers(1, len(changed) + 1)] if rng.random() < 0.2 else changed
            elif what == 1 and len(tensor.shape):
                shape = np.array(tensor.shape, np.int64)
                shape[rng.integers(len(shape))] = rng.choice([0, 1, 2, 3, 64, 1000, 2**31 - 1])
                tensor.shape = shape[rng.integers(2) if rng.random() < 0.2 else 0 :].tolist()
            elif what == 2:
                tensor.type = int(rng.choice([0, 2, 4, 9]))
            elif what == 3:
                tensors = np.array(operator.inputs)
                tensors[rng.integers(len(tensors))] = rng.integers(-1, len(graph.tensors))
                operator.inputs = tensors.tolist()
            else:
                tensor.buffer = int(rng.integers(len(model.buffers)))
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        result[f"mutant{index:04}"] = bytes(builder.Output())
    return result


@pytest.mark.parametrize("count", [150, pytest.param(3000, marks=pytest.mark.long)])
def test_mutants_run_or_give_an_error(count: int, tmp_path: Path) -> None:
    errors = run(tmp_path, mutants(count, seed=count))
    assert len(errors) == count
    assert any(errors.values())
