"""The quantized weights of a Keras model as a .npz file of bits and scales, and back.

Of every layer with a kernel quantizer the file has, by the layer's path, `PATH/bits`, uint8 (planes, bytes): the signs
of each plane, 8 to a byte, in the order of (filters, ...), 1 for -1; `PATH/scales`, float32 (planes, filters);
`PATH/offset`, float32 (filters,); and `PATH/shape`, that of the Keras kernel. All other weights are there as floats,
`PATH:NUMBER`. Quantized weights are offset + Σ scale · sign.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflbnn._files import atomic_path, readable_errors
from tflbnn._keras import keras, tf
from tflbnn.converter.explain import leaves
from tflbnn.converter.passes.report import NoMatchError
from tflbnn.converter.planes import Planes, planes_of
from tflbnn.errors import UserError

_CLOSE = 1e-5


def save_weights(model: keras.Model, path: str | os.PathLike[str]) -> int:
    """Writes the weights of a model; the number of bytes.

    Raises:
        UserError: the file cannot be written.

    >>> import tempfile
    >>> from tflbnn import Binarization, layers
    >>> model = keras.Sequential([keras.Input((64,)), layers.dense(Binarization(), 32)])
    >>> save_weights(model, tempfile.mkdtemp() + "/weights.npz") < 2_000
    True
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name, layer, variables in _layers(model):
        planes = _planes(layer)
        for number, variable in enumerate(variables):
            if planes is not None and variable is _latent(layer):
                arrays |= _packed(name, planes, tuple(variable.shape))
            else:
                arrays[f"{name}:{number}"] = variable.numpy()
    with atomic_path(path) as temporary, readable_errors("write", path), open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
        return file.tell()


def load_weights(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Sets the weights of a model of the same layers; its quantized weights are then those of the file.

    Raises:
        UserError: the file is no such file, or another model's.
    """
    arrays = _read(path)
    values: list[tuple[Any, NDArray[Any], Any]] = []
    for name, layer, variables in _layers(model):
        for number, variable in enumerate(variables):
            quantizer = getattr(layer, "kernel_quantizer", None) if variable is _latent(layer) else None
            if f"{name}/bits" in arrays and quantizer is not None:
                value = _unpacked(arrays, name, path)
            elif f"{name}:{number}" in arrays:
                value, quantizer = arrays.pop(f"{name}:{number}"), None
            else:
                raise UserError(f"{path} must have the weights of every layer. Received: none of {name}. Load its own.")
            if value.shape != tuple(variable.shape):
                raise UserError(
                    f"{name} has weights of shape {tuple(variable.shape)}. Received: {value.shape} in {path}."
                )
            values.append((variable, value, (name, quantizer)))
    if arrays:
        raise UserError(f"{path} has weights that the model has not: {', '.join(sorted(arrays)[:3])}. Load its own.")
    before = [variable.numpy() for variable, _, _ in values]
    for variable, value, _ in values:
        variable.assign(value)
    for variable, value, (name, quantizer) in values:
        if quantizer is not None and not _same(quantizer, variable, value):
            for (other, _, _), old in zip(values, before, strict=True):
                other.assign(old)
            raise UserError(
                f"Packed weights must be what their quantizer leaves as it is. Received: {name}, whose "
                f"{type(quantizer).__name__} makes others of them. Load its float weights."
            )


def _same(quantizer: Any, variable: Any, wanted: NDArray[Any]) -> bool:
    """Whether weights quantize to those that are wanted; DoReFa's, which bend weights, are bent back first."""
    if np.abs(quantizer(variable).numpy() - wanted).max(initial=0) <= _CLOSE * np.abs(wanted).max(initial=1e-30):
        return True
    variable.assign(np.arctanh(0.9 * np.clip(wanted, -1, 1)).astype(np.float32))
    return bool(np.abs(quantizer(variable).numpy() - wanted).max(initial=0) <= _CLOSE)


def _layers(model: keras.Model) -> Iterator[tuple[str, keras.layers.Layer, list[Any]]]:
    seen: set[int] = set()
    for name, layer in leaves(model):
        if id(layer) not in seen and layer.weights:
            seen.add(id(layer))
            # Larq's variables hold the float weights behind the quantized ones.
            yield name, layer, [getattr(variable, "latent_variable", variable) for variable in layer.weights]


def _latent(layer: keras.layers.Layer) -> Any:
    kernel = getattr(layer, "kernel", None)
    return getattr(kernel, "latent_variable", kernel)


def _planes(layer: keras.layers.Layer) -> Planes | None:
    quantizer, latent = getattr(layer, "kernel_quantizer", None), _latent(layer)
    if quantizer is None or latent is None:
        return None
    try:
        return planes_of(np.moveaxis(quantizer(tf.constant(latent.numpy())).numpy(), -1, 0))
    except NoMatchError:
        return None


def _packed(name: str, planes: Planes, shape: tuple[int, ...]) -> dict[str, NDArray[Any]]:
    return {
        f"{name}/bits": np.stack([np.packbits(plane.reshape(-1)) for plane in planes.negative]),
        f"{name}/scales": planes.scales.astype(np.float32),
        f"{name}/offset": planes.offset.astype(np.float32),
        f"{name}/shape": np.array(shape, np.int32),
    }


def _unpacked(arrays: dict[str, NDArray[Any]], name: str, path: str | os.PathLike[str]) -> NDArray[np.float32]:
    try:
        bits, scales, offset, shape = (arrays.pop(f"{name}/{what}") for what in ("bits", "scales", "offset", "shape"))
        *rest, filters = (int(size) for size in shape)
        count = int(np.prod([filters, *rest]))
        if bits.shape != (len(scales), -(-count // 8)) or scales.shape[1:] != (filters,) or offset.shape != (filters,):
            raise ValueError
        negative = [np.unpackbits(row, count=count).astype(bool).reshape(filters, *rest) for row in bits]
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise UserError(f"{path} has damaged weights of {name}. Write it again with save_weights.") from error
    return np.moveaxis(Planes(tuple(negative), scales, offset).weights(), 0, -1).astype(np.float32)


def _read(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    try:
        with readable_errors("read the weights", path), np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, KeyError, EOFError, AttributeError) as error:
        raise UserError(f"{path} is no file that save_weights wrote. Write it again.") from error
