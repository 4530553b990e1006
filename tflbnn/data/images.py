"""Images that stay files until they are looked at: a large data set does not fit into the memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


class Files:
    """Image files as one array, uint8 (number, side, side, 3), each decoded and resized when it is looked at.

    An index or a slice gives fewer files; `np.asarray` decodes them.

    >>> files = Files(np.array([Path("a.jpg"), Path("b.jpg")]), 512)
    >>> files.shape, files[:1].shape
    ((2, 512, 512, 3), (1, 512, 512, 3))
    """

    dtype = np.dtype(np.uint8)

    def __init__(self, paths: np.ndarray, side: int) -> None:
        self.paths, self.side = paths, side

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self.paths), self.side, self.side, 3)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: slice | np.ndarray) -> Files:
        return Files(self.paths[rows], self.side)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        from tflbnn.runtime import image

        decoded = np.empty(self.shape, np.uint8)
        for pixels, path in zip(decoded, self.paths, strict=True):
            pixels[:] = image.fit(image.read(Path(path)), self.side, self.side, 3)
        return decoded if dtype is None else decoded.astype(dtype)
