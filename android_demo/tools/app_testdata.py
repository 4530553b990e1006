"""Pictures and models for the app's tests, with what tflbnn itself makes of them: the app must do the same."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from android_demo.tools.demo_models import MODELS
from tflbnn.converter.optimize import named
from tflbnn.converter.rest import rewrite
from tflbnn.data import fashion_mnist, shapes
from tflbnn.detection import Detections, intersection_over_union
from tflbnn.detection.matching import CLASS, MATCHED
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.flatbuffer import pack, schema, unpack
from tflbnn.runtime.image import fit
from tflbnn.runtime.metadata import LABEL_FILE, add_metadata, read_metadata, seal
from tflbnn.runtime.post_processing import detections, is_detector

LEAST_SCORE = 0.3  # of an object that the app shows
_EXIF_ORIENTATION, _TURNED_LEFT = 0x0112, 6


def write(folder: Path) -> None:
    """Writes all of it into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = _write_pictures(folder)
    (folder / "resize.txt").write_text("\n".join(_resized()) + "\n")
    inputs, predictions, descriptions = [], [], []
    shipped = sorted(MODELS.glob("*.tflite"))
    for path in [*shipped, *_write_models(folder)]:
        with Model(path) as model:
            inputs += [f"{path.stem}\t{name}\t{_input(model, folder / name)}" for name in names]
            predictions += [f"{path.stem}\t{name}\t{_numbers(model, folder / name)}" for name in names]
            if path in shipped:
                descriptions.append(_described(path.stem, model))
    (folder / "inputs.txt").write_text("\n".join(inputs) + "\n")
    (folder / "predictions.txt").write_text("\n".join(predictions) + "\n")
    (folder / "descriptions.txt").write_text("\n".join(descriptions) + "\n", encoding="utf-8")
    (folder / "refused.txt").write_text("\n".join(_write_refused(folder)) + "\n", encoding="utf-8")


def _write_pictures(folder: Path) -> list[str]:
    from sklearn.datasets import load_digits, load_sample_image

    photo = Image.fromarray(load_sample_image("flower.jpg"))
    pictures = {"photo.png": photo.crop((100, 20, 500, 300))}
    for number, digit in enumerate(load_digits().images[:8]):
        pictures[f"digits-{number}.png"] = Image.fromarray(np.round(digit * (255 / 16)).astype(np.uint8))
    for number, image in enumerate(shapes.draw(6, seed=1).x):
        pictures[f"shapes-{number}.png"] = Image.fromarray(image)
    try:
        clothes = fashion_mnist.read().test.x[:8]
    except UserError:  # the data set is not on this machine
        clothes = np.empty((0, 28, 28, 1), np.uint8)
    for number, image in enumerate(clothes):
        pictures[f"fashion-{number}.png"] = Image.fromarray(image[:, :, 0])
    for name, picture in pictures.items():
        picture.save(folder / name)
    _scene().save(folder / "scene.png")
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = _TURNED_LEFT
    # Of one colour for each of JPEG's blocks, so that it stands the same pixels upright and turned.
    small = pictures["photo.png"].resize((8, 6)).resize((64, 48), Image.Resampling.NEAREST)
    small.save(folder / "upright.jpg", quality=100, subsampling=0)
    small.transpose(Image.Transpose.ROTATE_90).save(folder / "exif.jpg", quality=100, subsampling=0, exif=exif)
    return list(pictures)


def _write_models(folder: Path) -> list[Path]:
    """The digits' model on integers, which takes pixels, and as one that looks at the middle of larger pictures."""
    whole = (MODELS / "digits.tflite").read_bytes()
    metadata = read_metadata(whole)
    with Model(whole) as model:
        samples = np.concatenate([model.preprocess(folder / f"digits-{number}.png") for number in range(8)])
    graph, _ = rewrite(named(whole).pack(), "int8", [samples], None, metadata.mean, metadata.std)
    integers, window = folder / "digits-int8.tflite", folder / "digits-window.tflite"
    integers.write_bytes(add_metadata(graph.pack(), dataclasses.replace(metadata, mean=(0.0,), std=(1.0,))))
    window.write_bytes(add_metadata(whole, dataclasses.replace(metadata, resized=(11, 14))))
    return [integers, window]


def _scene() -> Image.Image:
    """What a camera might see: an image of shapes in the middle of a wider frame, the one that is seen best."""
    drawn = shapes.draw(300, seed=3)
    squares = [Image.fromarray(image).resize((480, 480), Image.Resampling.BICUBIC) for image in drawn.x]
    with Model(MODELS / "shapes.tflite") as model:
        found = [detections(model.predict(model.preprocess(square))) for square in squares]
    ranks = [_rank(seen, rows[rows[:, CLASS] >= 0]) for seen, rows in zip(found, drawn.y, strict=True)]
    best = squares[max(range(len(squares)), key=ranks.__getitem__)]
    return Image.fromarray(np.pad(np.asarray(best), ((0, 0), (80, 80), (0, 0)), mode="symmetric"))


def _rank(found: Detections, drawn: np.ndarray) -> float:
    """The score of the least of objects of different kinds; nothing where one is missed, misplaced or invented."""
    seen = found.take(np.flatnonzero(found.scores >= LEAST_SCORE))
    if len(drawn) != len(seen.scores) or len(np.unique(drawn[:, CLASS])) < 2:
        return 0.0
    overlaps = intersection_over_union(drawn[:, :4], seen.boxes)
    named = drawn[:, CLASS] == seen.classes[overlaps.argmax(axis=1)]
    return float(seen.scores.min()) if named.all() and overlaps.max(axis=1).min() > MATCHED else 0.0


def _resized() -> list[str]:
    """Cases of three lines: the sizes, the values, and what tflbnn makes of them."""
    rng = np.random.default_rng(0)
    lines = []
    for case in range(30):
        width, height, new_width, new_height = rng.integers(1, (3, 20, 60)[case % 3] + 1, 4).tolist()
        plane = rng.integers(0, 256, (height, width), np.uint8)
        resized = fit(Image.fromarray(plane), new_height, new_width, 1)
        for row in ([width, height, new_width, new_height], plane.ravel(), resized.ravel()):
            lines.append(" ".join(map(str, row)))
    return lines


def _input(model: Model, picture: Path) -> str:
    """The SHA-256 of the bytes that the model gets."""
    return hashlib.sha256(model.preprocess(picture).tobytes()).hexdigest()


def _numbers(model: Model, picture: Path) -> str:
    """A classifier's scores, or the class, score and borders of each object that the app shows."""
    outputs = model.predict(model.preprocess(picture))
    if not is_detector(model.output_specs):
        return " ".join(f"{score:.6f}" for score in outputs[0])
    found = detections(outputs)
    rows = []
    for (top, left, bottom, right), number, score in zip(found.boxes, found.classes, found.scores, strict=True):
        if score >= LEAST_SCORE:
            borders = np.clip([left, top, right, bottom], 0, 1)
            rows += [number, score, *borders]
    return " ".join(f"{value:.6f}" for value in rows)


def _described(name: str, model: Model) -> str:
    metadata = model.metadata
    numbers = (" ".join(map(str, values)) for values in (metadata.mean, metadata.std))
    members = 1 if (ensemble := model.ensemble) is None else len(ensemble.signatures)
    return "\t".join([name, "|".join(metadata.labels), *numbers, str(metadata.accuracy), str(members)])


def _write_refused(folder: Path) -> list[str]:
    """Models that the app cannot take: the file's name, and what its sentence must name."""
    whole = (MODELS / "digits.tflite").read_bytes()

    def changed(name: str, change) -> None:
        model = unpack(whole)
        change(model, model.subgraphs[0])
        (folder / name).write_bytes(seal(pack(model) + _archive([str(number) for number in range(10)])))

    def flatten_input(model: schema.ModelT, graph: schema.SubGraphT) -> None:
        graph.tensors[graph.inputs[0]].shape = [1, 64]

    def rename_operator(model: schema.ModelT, graph: schema.SubGraphT) -> None:
        next(code for code in model.operatorCodes if code.customCode == b"LceBconv2d").customCode = b"Mystery"

    def double_output(model: schema.ModelT, graph: schema.SubGraphT) -> None:
        graph.outputs = [*graph.outputs, *graph.outputs]

    def grow_weights(model: schema.ModelT, graph: schema.SubGraphT) -> None:
        weights = next(t for t in graph.tensors if len(t.shape) == 2 and model.buffers[t.buffer].data is not None)
        weights.shape = [int(weights.shape[0]), int(weights.shape[1]) + 1]

    changed("wrong_input.tflite", flatten_input)
    changed("unknown_operator.tflite", rename_operator)
    changed("wrong_output.tflite", double_output)
    changed("wrong_weights.tflite", grow_weights)
    flatbuffer = pack(unpack(whole))
    (folder / "wrong_labels.tflite").write_bytes(seal(flatbuffer + _archive(["a", "b", "c"])))
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 1
    (folder / "one_bit.tflite").write_bytes(flipped)
    return [
        "wrong_input.tflite\t1 × 64",
        "unknown_operator.tflite\tMystery",
        "wrong_output.tflite\t1 × 10, 1 × 10",
        "wrong_weights.tflite\tTensorFlow Lite cannot run this model",
        "wrong_labels.tflite\t3 ≠ 10",
        "one_bit.tflite\tdamaged",
    ]


def _archive(labels: list[str]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo(LABEL_FILE), "\n".join(labels) + "\n")
    return file.getvalue()
