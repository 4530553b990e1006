"""Keras models from files, of Keras's and Larq's own layers only: a file is data, whose code is run for trust only.

A Lambda layer is Python code in a file, and a SavedModel without its layers' configuration is a graph that may read and
write files. So what a file says it is made of is looked at before Keras sees it.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from tflbnn._files import readable_errors
from tflbnn._keras import keras, lq
from tflbnn.errors import UserError

_REFUSED = ("Lambda", "TFOpLambda", "SlicingOpLambda", "ClassMethod", "InstanceMethod", "InstanceProperty")
# What is no layer and has no code of its own.
_INTERNAL = ("Functional", "Sequential", "Model", "InputLayer", "TensorShape", "TypeSpec", "Policy", "__tuple__")
_LARGEST_CONFIGURATION = 64 << 20


def is_keras_file(path: Path) -> bool:
    """Whether a path is a model that Keras saved: a .h5 or .keras file, or the folder of a SavedModel."""
    return path.suffix in (".h5", ".hdf5", ".keras") or (path / "saved_model.pb").is_file()


def load_model(path: Path, trust: bool = False) -> keras.Model:
    """The model of a file, not compiled.

    Args:
        trust: also run code that the file holds (Lambda layers, a SavedModel's functions).

    Raises:
        UserError: there is no such model, it is damaged, or it needs what only a trusted file may.
    """
    if not trust:
        configuration = _configuration(path)
        for name in _classes(configuration):
            if name in _REFUSED or not _known(name):
                raise UserError(
                    f"{path}: a model file may have Keras's, Larq's and tflbnn's own layers. Received: {name}, whose "
                    "code the file would bring along. Give --trust if you know where the file is from."
                )
    try:
        with readable_errors("read the model", path):
            return keras.models.load_model(
                str(path), compile=False, **({"safe_mode": not trust} if path.is_file() else {})
            )
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RuntimeError, NotImplementedError) as error:
        raise UserError(f"{path}: Keras cannot load this model: {' '.join(str(error).split())[:300]}") from error


def _configuration(path: Path) -> Any:
    """What the file says that the model is made of."""
    try:
        with readable_errors("read the model", path):
            if path.suffix == ".keras":
                with zipfile.ZipFile(path) as archive:
                    if archive.getinfo("config.json").file_size > _LARGEST_CONFIGURATION:
                        raise ValueError("its configuration is too large")
                    return json.loads(archive.read("config.json"))
            if path.is_dir():
                return _saved_model_configuration(path)
            import h5py

            with h5py.File(path, "r") as file:
                return json.loads(file.attrs["model_config"])
    except (ValueError, KeyError, zipfile.BadZipFile, RuntimeError) as error:
        raise UserError(f"{path} is no model that Keras saved: {' '.join(str(error).split())[:200]}.") from error


def _saved_model_configuration(path: Path) -> Any:
    from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

    metadata = SavedMetadata()
    file = path / "keras_metadata.pb"
    if not file.is_file():
        raise ValueError("it has functions only, not the configuration of its layers; give --trust to run them")
    try:
        metadata.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise ValueError("its keras_metadata.pb is damaged") from error
    return [json.loads(node.metadata) for node in metadata.nodes]


def _classes(value: Any) -> Iterator[str]:
    """Every class that a configuration names."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str):
            yield value["class_name"]
        for item in value.values():
            yield from _classes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _classes(item)


def _known(name: str) -> bool:
    short = name.rpartition(">")[2]
    if name.startswith(("tflbnn>", "Larq>")) or short in _INTERNAL:
        return True
    places = [keras.layers, keras.models, keras.initializers, keras.constraints, keras.regularizers, keras.optimizers]
    places += [lq.layers, lq.quantizers, lq.constraints]
    return any(hasattr(place, short) for place in places) or short in keras.utils.get_custom_objects()
