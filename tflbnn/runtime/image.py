"""Images as models want them: read, turned upright, brought to size and channels."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tflbnn._files import readable_errors
from tflbnn.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

# What a damaged file makes pillow's parsers raise, apart from OSError.
_BROKEN = (SyntaxError, ValueError, EOFError, TypeError, IndexError, struct.error, zlib.error)


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise UserError(
            "Reading and resizing images needs pillow, which is not installed. Run: pip install pillow"
        ) from error
    return Image


def read(image: str | os.PathLike[str] | Image | ArrayLike) -> Image:
    """An image from the path of a PNG or JPEG file, a PIL image, or an array of pixels 0 to 255.

    Raises:
        UserError: no such file, no image, or an array of another shape or type.
    """
    pillow = _pillow()
    if isinstance(image, pillow.Image):
        return image
    if isinstance(image, (str, os.PathLike)):
        return _read_file(image)
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3)):
        raise UserError(
            "An image array must be uint8 of shape (height, width), (height, width, 1) or (height, width, 3). "
            f"Received: {pixels.dtype} of shape {pixels.shape}. Convert it, or feed normalized arrays to predict()."
        )
    if 0 in pixels.shape:
        raise UserError(f"An image must have pixels. Received: an array of shape {pixels.shape}.")
    return pillow.fromarray(pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels)


def _read_file(path: str | os.PathLike[str]) -> Image:
    with readable_errors("read the image", path):
        content = Path(path).read_bytes()
    return decode(content, str(path))


def decode(content: bytes, name: str) -> Image:
    """An image from the bytes of a PNG or JPEG file; errors call it `name`.

    Raises:
        UserError: no such image, or a damaged one.
    """
    from PIL import ImageOps

    pillow = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pillow.DecompressionBombWarning)
            with pillow.open(io.BytesIO(content), formats=("PNG", "JPEG")) as opened:
                opened.load()
                return ImageOps.exif_transpose(opened)
    except pillow.UnidentifiedImageError as error:
        raise UserError(f"An image must be a PNG or JPEG file. Received: {name}, which is neither.") from error
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning) as error:
        raise UserError(
            f"An image may have up to {pillow.MAX_IMAGE_PIXELS} pixels. Received: {name} with more. Scale it down."
        ) from error
    except (OSError, *_BROKEN) as error:
        raise UserError(f"An image must be whole. Received: {name}, where {error}. Get it again.") from error


def fit(image: Image, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Pixels 0 to 255 of shape (height, width, channels): grey or colour as wanted, resized where needed.

    The filter is bilinear and antialiased: shrinking averages over all pixels that a new one covers. Width comes
    first, then height, each rounded to 8 bits.

    >>> from PIL import Image
    >>> fit(Image.new("RGB", (40, 30), "white"), 8, 8, 1).shape
    (8, 8, 1)
    """
    pillow = _pillow()
    if image.mode.startswith("I"):  # 16 bits a pixel: pillow's own conversion would clip instead of scale
        image = pillow.fromarray((np.asarray(image).clip(0, 65535) >> 8).astype(np.uint8))
    image = image.convert("L" if channels == 1 else "RGB")
    # Pillow rounds between width and height, and from version 13 on begins with either. The app has one order.
    for size in ((width, image.height), (width, height)):
        image = image.resize(size, pillow.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(height, width, channels)


def middle(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """The middle of images (..., height, width, channels).

    >>> middle(np.arange(16).reshape(4, 4, 1), 2, 2)[:, :, 0].tolist()
    [[5, 6], [9, 10]]
    """
    top, left = ((length - part) // 2 for length, part in zip(pixels.shape[-3:-1], (height, width), strict=True))
    return pixels[..., top : top + height, left : left + width, :]
