"""Images that stay files until they are looked at: a large data set does not fit into the memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image


class Files:
    """Image files as one array, uint8 (number, side, side, 3), each decoded and resized when it is looked at.

    An index or a slice gives fewer files; `np.asarray` decodes them.

    Args:
        paths: of the files, or whatever `read` makes an image of.
        side: what they are brought to.
        crop: how many pixels of that remain, from the middle; None leaves all.
        read: what opens one; `tflbnn.runtime.image.read` when left out.

    >>> files = Files(np.array(["a.jpg", "b.jpg"], object), 512)
    >>> files.shape, files[:1].shape
    ((2, 512, 512, 3), (1, 512, 512, 3))
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        paths: np.ndarray,
        side: int,
        crop: int | None = None,
        read: Callable[[Any], Image] | None = None,
    ) -> None:
        self.paths, self.side, self.crop, self.read = paths, side, crop, read

    @property
    def shape(self) -> tuple[int, int, int, int]:
        side = self.crop or self.side
        return (len(self.paths), side, side, 3)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, rows: slice | np.ndarray) -> Files:
        return Files(self.paths[rows], self.side, self.crop, self.read)

    def centre(self, side: int) -> Files:
        """The same files, with a window of so many pixels from the middle of each image."""
        return Files(self.paths, self.side, side, self.read)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        from tflbnn.runtime import image

        read = self.read or image.read
        decoded = np.empty(self.shape, np.uint8)
        for pixels, path in zip(decoded, self.paths, strict=True):
            whole = image.fit(read(path), self.side, self.side, 3)
            pixels[:] = image.middle(whole, *pixels.shape[:2])
        return decoded if dtype is None else decoded.astype(dtype)
