"""What a model file says about itself, in TFLite's standard metadata: labels, normalization, recipe, accuracy.

Layout (https://ai.google.dev/edge/litert/models/metadata): a FlatBuffer in the model's metadata entry
TFLITE_METADATA, and the label file in a ZIP archive appended to the model. Two entries are tflbnn's own:
TFLBNN_RECIPE, a JSON object, and TFLBNN_SHA256, the SHA-256 of the whole file with these 32 bytes as zeros.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from typing import Any

import numpy as np

from tflbnn.errors import UserError
from tflbnn.runtime.flatbuffer import pack, schema, unpack
from tflbnn.runtime.flexmap import read_map
from tflbnn.runtime.post_processing import CATEGORY, OPERATOR, OUTPUTS
from tflbnn.runtime.schemas import METADATA, METADATA_IDENTIFIER, MODEL, MODEL_IDENTIFIER
from tflbnn.runtime.tables import DamagedError, Table, decode, encode

STANDARD_ENTRY = "TFLITE_METADATA"
OWN_ENTRIES = b"TFLBNN_"  # how their names begin
RECIPE_ENTRY = "TFLBNN_RECIPE"
SHA256_ENTRY = "TFLBNN_SHA256"
LABEL_FILE = "labels.txt"

# Numbers of metadata_schema.fbs.
_IMAGE_PROPERTIES, _FEATURE_PROPERTIES, _BOX_PROPERTIES, _NORMALIZATION = 2, 1, 3, 1
_RGB, _GRAYSCALE = 1, 2
_TENSOR_AXIS_LABELS, _TENSOR_VALUE_LABELS = 2, 3
# Boxes by their borders in shares of the image: where left, top, right and bottom are in (ymin, xmin, ymax, xmax).
_BOX = {"index": (1, 0, 3, 2), "type": 1, "coordinate_type": 0}
_PARSER_VERSION = "1.0.0"  # the oldest parser that knows every field written here

_LARGEST_LABEL_FILE = 16 << 20
LARGEST_SIDE = 4096  # pixels of an image, as recipes have it


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What a model file says about itself.

    Attributes:
        name, description, version, author, license: free text.
        labels: names of the classes, in the order of the output's last axis; of a detector, of the numbers that
            its output "category" has.
        mean, std: of the pixels or features, one value or one a channel; the model takes (x - mean) / std.
        input_kind: "image" or "feature".
        resized: (height, width) that an image is brought to before the input's window is cut out of its middle; None
            brings it to the input's own size.
        recipe: the resolved recipe as trained, or None.
        accuracy: on the test set, 0 to 1, or None.
        versions: of the packages that trained and converted the model.
    """

    name: str = ""
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    labels: tuple[str, ...] = ()
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    input_kind: str = "image"
    resized: tuple[int, int] | None = None
    recipe: dict[str, Any] | None = None
    accuracy: float | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for label in self.labels:
            if not label.strip() or len(label.splitlines()) != 1:
                raise UserError(f"A label must be one line that is not empty. Received: {label!r}.")
        if self.resized is not None and not all(0 < side <= LARGEST_SIDE for side in self.resized):
            raise UserError(f"resized must be sides from 1 to {LARGEST_SIDE}. Received: {self.resized}.")
        if (self.mean is None) != (self.std is None):
            raise UserError("mean and std belong together. Give both or neither.")
        if self.std is not None and not (np.isfinite([*self.mean, *self.std]).all() and min(self.std, default=0) > 0):
            raise UserError(f"mean must be finite and std above 0. Received: mean={self.mean}, std={self.std}.")


def add_metadata(flatbuffer: bytes, metadata: Metadata) -> bytes:
    """The model file with `metadata` in it, in place of any that it had, and sealed with its SHA-256.

    Raises:
        UserError: labels or normalization do not fit the model's output or input.
    """
    model = unpack(flatbuffer)
    _require_fit(model, metadata)
    extra = {name: getattr(metadata, name) for name in ("recipe", "accuracy", "versions", "resized")}
    entries = {
        STANDARD_ENTRY: encode(METADATA, "ModelMetadata", _describe(model, metadata), METADATA_IDENTIFIER),
        RECIPE_ENTRY: json.dumps(extra, ensure_ascii=False, sort_keys=True).encode(),
        SHA256_ENTRY: bytes(32),
    }
    for name, content in entries.items():
        _buffer_of_entry(model, name).data = np.frombuffer(content, np.uint8)
    file = io.BytesIO(pack(model))
    if metadata.labels:
        with zipfile.ZipFile(file, "a") as archive:
            # Stored, not deflated: TFLite's readers look at the bytes in place. A fixed date: same model, same file.
            archive.writestr(zipfile.ZipInfo(LABEL_FILE), "\n".join(metadata.labels) + "\n")
    return seal(file.getvalue())


def _buffer_of_entry(model: schema.ModelT, name: str) -> schema.BufferT:
    """The buffer of a metadata entry, both added where the model has none of that name."""
    model.metadata = model.metadata or []
    for entry in model.metadata:
        if _text(entry.name) == name:
            return model.buffers[entry.buffer]
    entry = schema.MetadataT()
    entry.name, entry.buffer = name, len(model.buffers)
    model.metadata.append(entry)
    model.buffers.append(schema.BufferT())
    return model.buffers[-1]


def seal(file: bytes) -> bytes:
    """The file with its SHA-256 written into its TFLBNN_SHA256 entry."""
    sealed = bytearray(file)
    entry = _entry(_decode_model(file), SHA256_ENTRY)
    start = entry.ctypes.data - np.frombuffer(file, np.uint8).ctypes.data
    sealed[start : start + 32] = bytes(32)
    sealed[start : start + 32] = hashlib.sha256(sealed).digest()
    return bytes(sealed)


def read_metadata(file: bytes) -> Metadata | None:
    """What the file says about itself; None where it carries neither standard metadata nor a recipe.

    Raises:
        UserError: the metadata is damaged.
    """
    try:
        return _read(file)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"The model's metadata is damaged: {reason}. Export the model again.") from error


def _read(file: bytes) -> Metadata | None:
    model = _decode_model(file)
    standard, own = _entry(model, STANDARD_ENTRY), _entry(model, RECIPE_ENTRY)
    if standard is None and own is None:
        return None
    fields: dict[str, Any] = {}
    if own is not None:
        extra = json.loads(bytes(own))
        recipe, accuracy, versions = extra["recipe"], extra["accuracy"], extra["versions"]
        if not (
            isinstance(recipe, dict | None) and isinstance(accuracy, int | float | None) and isinstance(versions, dict)
        ):
            raise DamagedError(f"{RECIPE_ENTRY} has values of the wrong type")
        fields = {"recipe": recipe, "accuracy": accuracy, "versions": versions, "resized": _sides(extra)}
    if standard is not None:
        fields |= _undescribe(decode(METADATA, "ModelMetadata", bytes(standard), METADATA_IDENTIFIER), file)
    return Metadata(**fields)


def _sides(extra: dict[str, Any]) -> tuple[int, int] | None:
    """`resized`, which files of older versions have not."""
    sides = extra.get("resized")
    if sides is None:
        return None
    if not (isinstance(sides, list) and len(sides) == 2 and all(type(side) is int for side in sides)):
        raise DamagedError(f"{RECIPE_ENTRY} has values of the wrong type")
    return tuple(sides)


def entry(file: bytes, name: str) -> bytes | None:
    """What a model file has under a name in its metadata; None where it has nothing of it."""
    found = _entry(_decode_model(file), name)
    return None if found is None else bytes(found)


def _decode_model(file: bytes) -> Table:
    return decode(MODEL, "Model", file, MODEL_IDENTIFIER)


def _entry(model: Table, name: str) -> np.ndarray | None:
    """The bytes of a metadata entry, a view into the file."""
    for entry in model["metadata"] or []:
        if entry["name"] == name.encode():
            data = model["buffers"][entry["buffer"]]["data"]
            return np.zeros(0, np.uint8) if data is None else data
    return None


def _require_fit(model: schema.ModelT, metadata: Metadata) -> None:
    graph = model.subgraphs[0]
    shape = [int(size) for size in graph.tensors[graph.inputs[0]].shape]
    channels = [1, *shape][-1]
    if metadata.resized is not None and (len(shape) != 4 or np.less(metadata.resized, shape[1:3]).any()):
        raise UserError(
            f"The input's window must fit into what images are resized to. Received: {metadata.resized} for an input "
            f"of shape {tuple(shape)}."
        )
    for name in ("mean", "std"):
        values = getattr(metadata, name)
        if values is not None and len(values) not in (1, channels):
            raise UserError(
                f"{name} must have 1 value or one for each of {channels} channels. Received: {len(values)}."
            )
    classes = _detected_classes(model)
    if classes is None:
        shape = graph.tensors[graph.outputs[0]].shape
        classes = int(shape[-1]) if len(shape) else 1
    if metadata.labels and len(metadata.labels) != classes:
        raise UserError(
            f"There must be a label for each of the {classes} outputs. Received: {len(metadata.labels)} labels."
        )


def _detected_classes(model: schema.ModelT) -> int | None:
    """How many classes a detector knows; None where the model is none."""
    for operator in model.subgraphs[0].operators or []:
        if _text(model.operatorCodes[operator.opcodeIndex].customCode) == OPERATOR:
            return int(read_map(bytes(operator.customOptions))["num_classes"])
    return None


def _describe(model: schema.ModelT, metadata: Metadata) -> Table:
    """The ModelMetadata table. Normalization is of the first input, labels of the first output or of "category"."""
    graph = model.subgraphs[0]
    names = _signature_names(model)
    inputs = [_describe_tensor(names["inputs"].get(index, graph.tensors[index].name)) for index in graph.inputs]
    outputs = [_describe_tensor(names["outputs"].get(index, graph.tensors[index].name)) for index in graph.outputs]
    shape = [int(size) for size in graph.tensors[graph.inputs[0]].shape]
    if metadata.input_kind == "image" and len(shape) == 4 and shape[3] in (1, 3):
        size = {"height": shape[1], "width": shape[2]}
        properties = {"color_space": _RGB if shape[3] == 3 else _GRAYSCALE, "default_size": size}
        inputs[0]["content"] = {"content_properties_type": _IMAGE_PROPERTIES, "content_properties": properties}
    if metadata.mean is not None:
        normalization = {"mean": metadata.mean, "std": metadata.std}
        inputs[0]["process_units"] = [{"options_type": _NORMALIZATION, "options": normalization}]
    detects = _detected_classes(model) is not None
    if detects:
        outputs[0]["content"] = {"content_properties_type": _BOX_PROPERTIES, "content_properties": _BOX}
    if metadata.labels:
        kind = _TENSOR_VALUE_LABELS if detects else _TENSOR_AXIS_LABELS
        labels = {"name": LABEL_FILE, "description": "Names of the classes.", "type": kind}
        outputs[OUTPUTS.index(CATEGORY) if detects else 0]["associated_files"] = [labels]
    texts = {name: getattr(metadata, name) or None for name in ("name", "description", "version", "author", "license")}
    described = {"input_tensor_metadata": inputs, "output_tensor_metadata": outputs}
    return {**texts, "subgraph_metadata": [described], "min_parser_version": _PARSER_VERSION}


def _describe_tensor(name: str | bytes | None) -> Table:
    feature = {"content_properties_type": _FEATURE_PROPERTIES, "content_properties": {}}
    return {"name": _text(name), "content": feature}


def _signature_names(model: schema.ModelT) -> dict[str, dict[int, str | bytes]]:
    signatures = (model.signatureDefs or [None])[:1]
    return {
        kind: {
            entry.tensorIndex: entry.name
            for signature in signatures
            if signature
            for entry in getattr(signature, kind) or []
        }
        for kind in ("inputs", "outputs")
    }


def _undescribe(described: Table, file: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {
        name: _text(described[name]) for name in ("name", "description", "version", "author", "license")
    }
    fields["input_kind"] = "feature"
    for graph in (described["subgraph_metadata"] or [])[:1]:
        for tensor in (graph["input_tensor_metadata"] or [])[:1]:
            content = tensor["content"] or {}
            if content.get("content_properties_type") == _IMAGE_PROPERTIES:
                fields["input_kind"] = "image"
            for unit in tensor["process_units"] or []:
                if unit["options_type"] == _NORMALIZATION and unit["options"]:
                    for name in ("mean", "std"):
                        values = unit["options"][name]
                        fields[name] = None if values is None else tuple(map(float, values))
        for position, tensor in enumerate(graph["output_tensor_metadata"] or []):
            for associated in tensor["associated_files"] or []:
                names_classes = associated["type"] == _TENSOR_VALUE_LABELS or (
                    associated["type"] == _TENSOR_AXIS_LABELS and position == 0
                )
                if names_classes and "labels" not in fields:
                    fields["labels"] = _labels(file, _text(associated["name"]))
    return fields


def _labels(file: bytes, name: str) -> tuple[str, ...]:
    """The lines of a file in the ZIP archive at the end of the model."""
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            if archive.getinfo(name).file_size > _LARGEST_LABEL_FILE:
                raise DamagedError(f"the label file {name} is larger than {_LARGEST_LABEL_FILE >> 20} MiB")
            content = archive.read(name)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DamagedError(f"the label file {name} cannot be read ({error})") from error
    return tuple(content.decode().splitlines())


def _text(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
