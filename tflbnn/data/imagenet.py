"""ImageNet: 1.3 million photographs of 1,000 classes (Russakovsky et al., 2015), or any photographs in its layout.

Either a folder of JPEGs, train/CLASS/*.JPEG and val/CLASS/*.JPEG, or what TensorFlow Datasets makes of the original
archives, imagenet2012/VERSION/*.tfrecord-*. Nothing is downloaded. Neither is loaded: what stays in the memory is where
each image is, and its label.

Source: http://www.image-net.org, which gives the archives to researchers.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tflbnn._files import readable_errors
from tflbnn.data import tfrecords
from tflbnn.data.dataset import Normalization, Raw, Split
from tflbnn.data.files import folders
from tflbnn.data.images import Files
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

FACTS = {
    "images": "1,281,167 + 50,000",
    "size": "224×224×3",
    "classes": "1000",
    "files": "train/ and val/, or imagenet2012/ of TensorFlow Datasets",
    "source": "Russakovsky et al., 2015",
}

# Brought to 256×256 pixels, of which a network sees 224×224 (BNN+ 4.2).
SIDE, CROP = 256, 224
NORMALIZATION = Normalization((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))

_SUFFIXES = (".jpeg", ".jpg", ".png")
_PARTS = ("train", "val")


def read(data_dir: str | os.PathLike[str] | None = None, side: int = SIDE) -> Raw:
    """Where the images are, and their labels; the images are decoded when they are looked at, `side` pixels a side.

    The test is on ImageNet's validation images, as everywhere: the labels of its test images are not public.

    Raises:
        UserError: the files are nowhere, or not what they should be.
    """
    for folder in folders("imagenet", data_dir):
        if all((folder / part).is_dir() for part in _PARTS):
            (train, labels), (test, test_labels) = (_of_folder(folder / part, side) for part in _PARTS)
            if labels != test_labels:
                odd = sorted(set(labels) ^ set(test_labels))[0]
                raise UserError(
                    f"train/ and val/ must have the same classes. Received: {folder}, where one of them has no {odd}. "
                    "Sort the images of both into a folder a class."
                )
            return Raw(train, test, labels, normalization=NORMALIZATION, crop=min(CROP, side))
        if versions := sorted((folder / "imagenet2012").glob("*/*-train.tfrecord-*")):
            return _of_records(versions[-1].parent, side)
    raise UserError(
        "ImageNet needs train/ and val/ with a folder a class, or imagenet2012/ of TensorFlow Datasets. Received: none "
        f"in {', '.join(map(str, folders('imagenet', data_dir)))}. Give --data-dir with the folder that holds them."
    )


def _of_folder(folder: Path, side: int) -> tuple[Split, tuple[str, ...]]:
    """The images below a folder that has a folder a class."""
    paths: list[str] = []
    y: list[int] = []
    with readable_errors("read the images' folder", folder):
        labels = tuple(sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()))
        for number, label in enumerate(labels):
            names = sorted(entry.name for entry in os.scandir(folder / label) if _is_image(entry.name))
            paths += [os.path.join(folder, label, name) for name in names]
            y += [number] * len(names)
    if len(labels) < 2 or not paths:
        raise UserError(
            f"A folder of images must have a folder a class, at least two. Received: {folder} with {len(labels)} and "
            f"{len(paths)} images. Sort the images into folders named as their classes."
        )
    return Split(Files(np.array(paths, object), side), np.array(y, np.int32)), labels


def _is_image(name: str) -> bool:
    return name.lower().endswith(_SUFFIXES)


def _of_records(folder: Path, side: int) -> Raw:
    """TensorFlow Datasets' shards of the newest version."""
    splits = []
    for part in ("train", "validation"):
        shards = sorted(folder.glob(f"*-{part}.tfrecord-*"))
        if not shards:
            raise UserError(
                f"TensorFlow Datasets makes shards of train and validation. Received: {folder} without one."
            )
        places, y = tfrecords.index(shards)
        splits.append(Split(Files(places, side, read=functools.partial(_read_place, shards)), y))
    classes = int(max(split.y.max() for split in splits)) + 1
    names = folder / "label.labels.txt"
    labels = tuple(names.read_text(encoding="utf-8").split()) if names.is_file() else ()
    if len(labels) < classes:
        labels = tuple(map(str, range(max(classes, 2))))
    train, test = splits
    return Raw(train, test, labels, normalization=NORMALIZATION, crop=min(CROP, side))


def _read_place(shards: list[Path], place: np.void) -> Image:
    from tflbnn.runtime import image

    shard = shards[place["shard"]]
    with readable_errors("read the images", shard), open(shard, "rb") as file:
        file.seek(int(place["offset"]))
        content = file.read(int(place["length"]))
    return image.decode(content, f"an image at byte {place['offset']} of {shard}")
