"""The Python version of CIFAR-10 and CIFAR-100: pickled batches in an archive, or in the folder unpacked from it."""

from __future__ import annotations

import dataclasses
import os
import tarfile
import zlib
from pathlib import Path

import numpy as np

from tflbnn._files import readable_errors
from tflbnn.data.dataset import Raw, Split
from tflbnn.data.files import Remote, download, folders
from tflbnn.data.pickled import PickleError, read_pickle
from tflbnn.errors import UserError

LARGEST = 2**28  # bytes of one batch; CIFAR-100's only one has 155 million
PIXELS = 3 * 32 * 32


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a CIFAR set's files are called: archive, folder in it, batches; `key` is where a batch has its labels."""

    name: str
    archive: str
    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    key: str
    remote: Remote


def read_batch(content: bytes, source: str, key: str, classes: int) -> Split:
    """Images and labels of one batch.

    Args:
        content: the pickle.
        source: the file's name, for errors.
        key: "labels" (CIFAR-10) or "fine_labels" (CIFAR-100).
        classes: labels are below that.

    Raises:
        UserError: the batch is damaged, or holds something else.
    """
    try:
        batch = read_pickle(content)
    except PickleError as error:
        raise UserError(f"A CIFAR batch must be whole. Received: {source}, {error}. Get the file anew.") from error
    data, labels = batch.get("data"), batch.get(key)
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[1] != PIXELS:
        raise UserError(
            f"A CIFAR batch has 'data', rows of {PIXELS} bytes. Received: {source}, which has not. Get the file anew."
        )
    if not isinstance(labels, list) or len(labels) != len(data):
        raise UserError(
            f"A CIFAR batch has '{key}', a label an image. Received: {source}, which has not. Get the file anew."
        )
    if not all(type(label) is int and 0 <= label < classes for label in labels):
        raise UserError(f"Labels must be from 0 to {classes - 1}. Received: {source} with others. Get the file anew.")
    # A row has the red, the green, then the blue plane.
    images = data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Split(np.ascontiguousarray(images), np.array(labels, np.int32))


def _from_folder(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    contents = {}
    for name in names:
        with readable_errors("read", folder / name), open(folder / name, "rb") as file:
            contents[name] = file.read(LARGEST + 1)
    return contents


def _from_archive(path: Path, folder: str, names: tuple[str, ...]) -> dict[str, bytes]:
    """The files' content. Nothing is unpacked to the disk, and a name says nothing about where to write."""
    wanted = {f"{folder}/{name}": name for name in names}
    contents = {}
    try:
        with readable_errors("read", path), tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in wanted and member.isreg() and (file := archive.extractfile(member)):
                    contents[wanted[member.name]] = file.read(LARGEST + 1)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(
            f"The archive must be a whole .tar.gz. Received: {path}, {str(error)[:80]}. Get the file anew."
        ) from error
    missing = [name for name in names if name not in contents]
    if missing:
        raise UserError(f"The archive must hold {folder}/{missing[0]}. Received: {path}. Get the file anew.")
    return contents


def read_cifar(layout: Layout, labels: tuple[str, ...], data_dir: str | os.PathLike[str] | None) -> Raw:
    """The data set of that layout, from a folder, an archive, or the network."""
    names = (*layout.train, *layout.test)
    for folder in folders(layout.name, data_dir):
        for batches in (folder / layout.folder, folder):
            if all((batches / name).is_file() for name in names):
                contents, source = _from_folder(batches, names), batches
                break
        else:
            source = folder / layout.archive
            if not source.is_file():
                continue
            contents = _from_archive(source, layout.folder, names)
        break
    else:
        (source,) = download(layout.name, [layout.remote], f"{layout.archive} or the folder {layout.folder}")
        contents = _from_archive(source, layout.folder, names)
    parts = []
    for part in (layout.train, layout.test):
        batches = []
        for name in part:
            if len(contents[name]) > LARGEST:
                raise UserError(f"A CIFAR batch has at most {LARGEST} bytes. Received: {source}/{name}. Get it anew.")
            batches.append(read_batch(contents.pop(name), f"{source}/{name}", layout.key, len(labels)))
        parts.append(Split(np.concatenate([b.x for b in batches]), np.concatenate([b.y for b in batches])))
    return Raw(*parts, labels)
