"""Images: formats, sizes, channels, damage."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tflbnn.errors import UserError
from tflbnn.runtime import image as images

RNG = np.random.default_rng(0)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]))
@settings(max_examples=50, deadline=None)
def test_one_colour_stays_one_colour(height, width, to_height, to_width, channels):
    fitted = images.fit(Image.new("RGB", (width, height), (7, 7, 7)), to_height, to_width, channels)
    assert fitted.shape == (to_height, to_width, channels)
    assert fitted.dtype == np.uint8
    assert (fitted == 7).all()


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".bin"])
def test_files_by_content_not_by_name(tmp_path, suffix):
    pixels = RNG.integers(0, 256, (6, 9, 3), np.uint8)
    path = tmp_path / f"image{suffix}"
    Image.fromarray(pixels).save(path, format="PNG")
    np.testing.assert_array_equal(images.fit(images.read(path), 6, 9, 3), pixels)


def test_jpeg_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    Image.new("RGB", (20, 10)).save(tmp_path / "turned.jpg", exif=exif)
    assert images.read(tmp_path / "turned.jpg").size == (10, 20)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode(mode, channels):
    assert images.fit(Image.new(mode, (5, 4)), 4, 5, channels).shape == (4, 5, channels)


def test_sixteen_bits_are_scaled_not_clipped():
    pixels = np.uint16([[0, 256 * 3, 65535]])
    np.testing.assert_array_equal(images.fit(Image.fromarray(pixels), 1, 3, 1)[0, :, 0], [0, 3, 255])


def test_shrinking_averages():
    checks = np.uint8(np.indices((64, 64)).sum(0) % 2 * 200)
    assert np.abs(images.fit(images.read(checks), 4, 4, 1).astype(int) - 100).max() <= 2


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1), (4, 5, 3)])
def test_arrays(shape):
    pixels = RNG.integers(0, 256, shape, np.uint8)
    fitted = images.fit(images.read(pixels), 4, 5, shape[2] if len(shape) == 3 else 1)
    np.testing.assert_array_equal(fitted.reshape(shape), pixels)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 5, 3)), "must be uint8"),
        (np.zeros((4, 5, 2), np.uint8), r"Received: uint8 of shape \(4, 5, 2\)"),
        (np.zeros((1, 4, 5, 3), np.uint8), "must be uint8 of shape"),
        (np.zeros((0, 5, 3), np.uint8), "must have pixels"),
    ],
)
def test_wrong_arrays(array, message):
    with pytest.raises(UserError, match=message):
        images.read(array)


def test_missing_and_no_image(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        images.read(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(UserError, match="PNG or JPEG"):
        images.read(tmp_path / "text.png")
    with pytest.raises(UserError, match="is a directory"):
        images.read(tmp_path)


def test_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    Image.new("L", (11, 10)).save(tmp_path / "large.png")
    with pytest.raises(UserError, match="up to 100 pixels"):
        images.read(tmp_path / "large.png")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_files_give_an_image_or_one_line(kind, tmp_path_factory, data):
    buffer = io.BytesIO()
    Image.fromarray(np.arange(12 * 10 * 3, dtype=np.uint8).reshape(12, 10, 3)).save(buffer, format=kind)
    content = bytearray(buffer.getvalue())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "image"
    path.write_bytes(content)
    try:
        outcome = images.fit(images.read(path), 8, 8, 3).shape
    except UserError as error:
        outcome = len(str(error).splitlines())
    assert outcome in (1, (8, 8, 3))


@given(arrays(np.uint8, st.tuples(st.integers(2, 40), st.integers(1, 9))), st.integers(1, 12), st.integers(1, 12))
def test_the_width_comes_before_the_height(pixels: np.ndarray, height: int, width: int) -> None:
    narrowed = images.fit(Image.fromarray(pixels), len(pixels), width, 1)
    np.testing.assert_array_equal(
        images.fit(Image.fromarray(pixels), height, width, 1),
        images.fit(Image.fromarray(narrowed[:, :, 0]), height, width, 1),
    )
