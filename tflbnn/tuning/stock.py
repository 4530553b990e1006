"""Networks without bits for stock TFLite, by TensorFlow's own converter: float32, or 8 bits throughout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tflbnn._keras import keras, tf
from tflbnn._remarks import without_remarks

CALIBRATION = 64  # images that the ranges of 8 bits are taken from


def float_flatbuffer(model: keras.Model) -> bytes:
    """A Keras model of full precision as a .tflite file, for batches of 1.

    >>> float_flatbuffer(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))[4:8]
    b'TFL3'
    """
    return _convert(model, None)


def int8_flatbuffer(model: keras.Model, images: np.ndarray) -> bytes:
    """The same in 8 bits, weights and activations, quantized after training; its inputs and outputs stay float32.

    Args:
        images: (number, ...) as the model takes them; their activations' ranges are what 8 bits divide.
    """
    return _convert(model, images)


def _convert(model: keras.Model, images: np.ndarray | None) -> bytes:
    shapes = [tf.TensorSpec((1, *tensor.shape[1:]), tf.float32) for tensor in model.inputs]

    def call(*inputs: tf.Tensor) -> Any:
        return model(inputs[0] if len(inputs) == 1 else inputs, training=False)

    function = tf.function(call).get_concrete_function(*shapes)
    with without_remarks():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model)
        if images is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: _one_by_one(images)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return bytes(converter.convert())


def _one_by_one(images: np.ndarray) -> Iterator[list[np.ndarray]]:
    for image in images[:CALIBRATION]:
        yield [image[np.newaxis].astype(np.float32)]


def constant_bytes(flatbuffer: bytes) -> int:
    """The bytes of a file's constants: its weights, in whatever type they have."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(flatbuffer, 0)
    subgraph = model.Subgraphs(0)
    buffers = {subgraph.Tensors(index).Buffer() for index in range(subgraph.TensorsLength())}
    return sum(model.Buffers(index).DataLength() for index in buffers)
