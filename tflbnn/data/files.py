"""Where a data set's files are looked for.

1. the folder given (--data-dir): its subfolder of the data set's name, then the folder itself;
2. the environment variable TFLBNN_DATA: the subfolder of the data set's name;
3. where a distribution puts them, /usr/share/datasets/NAME (Debian: dataset-fashion-mnist);
4. Keras's downloader and its cache, ~/.keras/datasets, with the file's hash checked.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from tflbnn.errors import UserError

DISTRIBUTION = Path("/usr/share/datasets")


@dataclasses.dataclass(frozen=True)
class Remote:
    """A file that can be downloaded: its URL, its SHA-256 or MD5, its name in Keras's cache."""

    url: str
    digest: str
    cache: str


def folders(name: str, data_dir: str | os.PathLike[str] | None) -> list[Path]:
    """The folders that may hold the files of the data set `name`, in the order of the search.

    >>> folders("mnist", "/data")[:2]
    [PosixPath('/data/mnist'), PosixPath('/data')]
    """
    found = []
    if data_dir is not None:
        found += [Path(data_dir) / name, Path(data_dir)]
    if os.environ.get("TFLBNN_DATA"):
        # Not the folder itself: MNIST and Fashion-MNIST have files of the same names.
        found.append(Path(os.environ["TFLBNN_DATA"]) / name)
    return [*found, DISTRIBUTION / name]


@contextlib.contextmanager
def _timeout(seconds: float) -> Iterator[None]:
    """Ends waiting for a network that does not answer; get_file has no such option."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def download(name: str, remotes: list[Remote], wanted: str) -> list[Path]:
    """Keras's copies of the files, downloaded where they are not in its cache. Loads TensorFlow.

    Args:
        name: the data set.
        remotes: its files.
        wanted: which files a user may put where by hand, for the error.

    Raises:
        UserError: there is no network, or what came is not the file.
    """
    from tflbnn._keras import keras

    cache = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras"))
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)  # get_file would otherwise use /tmp, which others can write to
    paths = []
    for remote in remotes:
        try:
            # Its progress bar goes to standard output, where the command's result belongs.
            with contextlib.redirect_stdout(sys.stderr), _timeout(30):
                path = keras.utils.get_file(
                    remote.cache.rpartition("/")[2],
                    origin=remote.url,
                    file_hash=remote.digest,
                    cache_dir=cache,
                    cache_subdir=f"datasets/{remote.cache}".rpartition("/")[0],
                )
        except Exception as error:  # get_file raises a bare Exception for a failed download
            if type(error) is not Exception and not isinstance(error, (OSError, ValueError)):
                raise
            raise UserError(
                f"The data set {name} is not on this machine and cannot be downloaded. Received: {error}. "
                f"Put {wanted} into DIR/{name} and give --data-dir DIR, or set TFLBNN_DATA=DIR."
            ) from error
        paths.append(Path(path))
    return paths
