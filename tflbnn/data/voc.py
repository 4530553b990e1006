"""PASCAL VOC: 20 classes of objects in photographs; trained on 2007 and 2012, tested on 2007, as BDN 5.3 does.

The files are the challenge's own: VOC2007/ and VOC2012/ with Annotations/ (XML), ImageSets/Main/ (names) and
JPEGImages/, also inside of VOCdevkit/. Source: Everingham et al., http://host.robots.ox.ac.uk/pascal/VOC/.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from tflbnn._files import readable_errors
from tflbnn.data.dataset import Raw, Split
from tflbnn.data.files import folders
from tflbnn.data.imagenet import NORMALIZATION  # on which base networks are trained first
from tflbnn.data.images import Files
from tflbnn.detection.matching import CLASS, COLUMNS
from tflbnn.errors import UserError, nearest

FACTS = {
    "images": "16,551 + 4,952",
    "size": "512×512×3",
    "classes": "20",
    "files": "VOC2007 and VOC2012",
    "source": "Everingham et al., 2010",
}

LABELS = (
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
)

SIDE = 512

TRAIN = (("VOC2007", "trainval"), ("VOC2012", "trainval"))
TEST = (("VOC2007", "test"),)

# Far more than any annotation has; a larger file is none.
_LARGEST_XML = 1 << 20
_LARGEST_LIST = 16 << 20
_MOST_OBJECTS = 1000
_LARGEST_SIDE = 1 << 15


def read(data_dir: str | os.PathLike[str] | None = None, side: int = SIDE) -> Raw:
    """The annotations of all images; the images stay files until they are looked at, then are `side` pixels a side.

    Raises:
        UserError: a folder, a list or a file is missing, or not what it should be.
    """
    root = _root(data_dir)
    return Raw(_split(root, TRAIN, side), _split(root, TEST, side), LABELS, "detection", NORMALIZATION)


def _root(data_dir: str | os.PathLike[str] | None) -> Path:
    """The folder that holds those of the years."""
    years = sorted({year for year, _ in (*TRAIN, *TEST)})
    candidates = [part for folder in folders("voc", data_dir) for part in (folder, folder / "VOCdevkit")]
    for candidate in candidates:
        if all((candidate / year).is_dir() for year in years):
            return candidate
    some = [str(folder / year) for folder in candidates for year in years if (folder / year).is_dir()]
    raise UserError(
        f"PASCAL VOC needs the folders {' and '.join(years)}. Received: {', '.join(some) or 'none of them'}. Get them "
        "from http://host.robots.ox.ac.uk/pascal/VOC/, unpack them into DIR, and give --data-dir DIR."
    )


def _split(root: Path, parts: tuple[tuple[str, str], ...], side: int) -> Split:
    """All images of some lists."""
    paths, found = [], []
    for year, part in parts:
        folder = root / year
        for name in _names(folder / "ImageSets" / "Main" / f"{part}.txt"):
            image = folder / "JPEGImages" / f"{name}.jpg"
            if not image.is_file():
                raise UserError(f"Every image that is listed must be there. Received: no {image}. Unpack VOC again.")
            paths.append(image)
            found.append(read_annotation(folder / "Annotations" / f"{name}.xml"))
    objects = np.zeros((len(found), max(map(len, found), default=1), COLUMNS), np.float32)
    objects[..., CLASS] = -1
    for rows, given in zip(objects, found, strict=True):
        rows[: len(given)] = given
    return Split(Files(np.array(paths, object), side), objects)


def _names(path: Path) -> list[str]:
    """The names in a list of images, a line each."""
    text = _text(path, _LARGEST_LIST, "list of images")
    names = [line.split()[0] for line in text.decode("utf-8", "replace").splitlines() if line.strip()]
    for name in names:
        if not re.fullmatch(r"\w{1,100}", name, re.ASCII):  # it becomes a part of a path
            raise UserError(f"An image's name must be letters, digits and '_'. Received: {name!r:.80} in {path}.")
    if not names:
        raise UserError(f"A list of images must name some. Received: {path}, which is empty. Unpack VOC again.")
    return names


def _text(path: Path, largest: int, what: str) -> bytes:
    with readable_errors(f"read the {what}", path), open(path, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise UserError(f"The {what} must have at most {largest >> 10} KiB. Received: {path} with more.")
    return content


def read_annotation(path: str | os.PathLike[str]) -> np.ndarray:
    """The objects of one image by its XML file.

    Pixels are counted from 1 there, and the last one belongs to the box: [1, width] becomes [0, 1].

    Returns:
        float32 (objects, 6): ymin, xmin, ymax, xmax in shares of the image, the class, 1 where it is difficult.

    Raises:
        UserError: the file is missing, is no such XML, declares entities, or has boxes that are no boxes.
    """
    path = Path(path)
    try:
        root = _parse(_text(path, _LARGEST_XML, "annotation"))
        width, height = (_number(root, f"size/{side}") for side in ("width", "height"))
        if not (1 <= width <= _LARGEST_SIDE and 1 <= height <= _LARGEST_SIDE):
            raise ValueError(f"the image has {width:g}×{height:g} pixels")
        given = root.findall("object")
        if len(given) > _MOST_OBJECTS:
            raise ValueError(f"it has {len(given)} objects")
        objects = [_object(element, width, height) for element in given]
    except (ValueError, expat.ExpatError) as error:
        raise UserError(
            f"An annotation must be VOC's XML. Received: {path}, where {error}. Unpack it again."
        ) from error
    return np.array(objects, np.float32).reshape(-1, COLUMNS)


def _parse(content: bytes) -> Element:
    """The tree of an XML file without a document type: what is not declared cannot be expanded or fetched."""

    def refuse(*_: object) -> None:
        raise ValueError("a document type is declared, which no annotation needs")

    tree = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler = tree.data
    parser.Parse(content, True)
    return tree.close()


def _object(element: Element, width: float, height: float) -> list[float]:
    label = (element.findtext("name") or "").strip()
    if label not in LABELS:
        raise ValueError(f"there is no class {label!r:.40}; {nearest(label[:40], LABELS)[:-1]}")
    xmin, ymin, xmax, ymax = (_number(element, f"bndbox/{side}") for side in ("xmin", "ymin", "xmax", "ymax"))
    # Some boxes of VOC2012 begin or end a pixel beyond their image.
    box = [max(ymin - 1, 0) / height, max(xmin - 1, 0) / width, min(ymax, height) / height, min(xmax, width) / width]
    if not (0 <= box[0] < box[2] and 0 <= box[1] < box[3]):
        raise ValueError(f"a box goes from ({xmin:g}, {ymin:g}) to ({xmax:g}, {ymax:g}) in {width:g}×{height:g} pixels")
    return [*box, LABELS.index(label), float((element.findtext("difficult") or "0").strip() == "1")]


def _number(element: Element, path: str) -> float:
    text = element.findtext(path)
    try:
        return float(text or "")
    except ValueError as error:
        raise ValueError(f"{path} is {'missing' if text is None else f'{text.strip()!r:.40}'}") from error
