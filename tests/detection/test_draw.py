"""Pictures with boxes: every image size, and boxes that leave the image."""

import numpy as np
import pytest
from PIL import Image

from tflbnn.detection import Detections
from tflbnn.detection.draw import draw

FOUND = Detections(
    np.array([[0.25, 0.25, 0.75, 0.75], [-2.0, 0.5, 0.1, 9.0], [0.9, 0.9, 0.1, 0.1]]),
    np.array([0, 9, 1]),
    np.array([0.9, 0.5, 0.25]),
)
LABELS = ["dog", "a label that is much longer than any picture is wide " * 3, "ż"]


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (500, 300), (2000, 3), (3, 700)])
@pytest.mark.parametrize("mode", ["RGB", "L", "P"])
def test_any_image(size, mode):
    picture = draw(Image.new(mode, size), FOUND, LABELS)
    assert picture.mode == "RGB"
    assert picture.width % size[0] == picture.height % size[1] == 0
    assert picture.width * size[1] == picture.height * size[0]


def test_the_box_is_where_the_object_is():
    picture = np.asarray(draw(Image.new("RGB", (400, 400)), FOUND.take(np.array([0])), LABELS[:1]))
    coloured = picture.any(axis=2)
    assert coloured[100:300, 99:102].any(axis=1).all()
    assert coloured[299:301, 100:300].any(axis=0).all()
    assert not coloured[110:290, 110:290].any()
    assert not coloured[310:].any()


def test_without_detections_the_image_stays():
    image = Image.new("RGB", (500, 500), "red")
    assert draw(image, FOUND.take(np.zeros(3, bool)), []).tobytes() == image.tobytes()
