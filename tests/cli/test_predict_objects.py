"""tflbnn predict with a detector: a table, JSON, a picture beside the image or where it is wanted."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.support import run, snapshot
from tests.runtime.small_models import B, Builder
from tflbnn.detection import PostProcessing, default_boxes
from tflbnn.runtime.flatbuffer import schema
from tflbnn.runtime.metadata import Metadata, add_metadata
from tflbnn.runtime.post_processing import OPERATOR, OUTPUTS, options

HEIGHT, WIDTH = 4, 5


def detector(labels: tuple[str, ...]) -> bytes:
    """Every pixel is a box: green ones show class 0, blue ones class 1, red ones nothing."""
    builder = Builder()
    image = builder.tensor("image", (1, HEIGHT, WIDTH, 3))
    pixels = builder.tensor("pixels", (1, HEIGHT * WIDTH, 3))
    shape = builder.constant("shape", np.array([1, HEIGHT * WIDTH, 3], np.int32))
    builder.operator(B.RESHAPE, [image, shape], [pixels], schema.ReshapeOptionsT())
    defaults = default_boxes([(HEIGHT, WIDTH)], (1e-9, 1), [()])[::2]
    defaults[:, 2:] = 1 / HEIGHT, 1 / WIDTH
    offsets = builder.constant("offsets", np.zeros((1, HEIGHT * WIDTH, 4), np.float32))
    shapes = ((1, 100, 4), (1, 100), (1, 100), (1,))
    outputs = [builder.tensor(name, size) for name, size in zip(OUTPUTS, shapes, strict=True)]
    inputs = [offsets, pixels, builder.constant("defaults", defaults)]
    builder.operator(OPERATOR, inputs, outputs, **options(2, PostProcessing()))
    return add_metadata(builder.finish([image], outputs), Metadata(labels=labels, mean=(0.0,), std=(255.0,)))


@pytest.fixture
def objects(tmp_path, monkeypatch):
    """The current folder: a detector, and an image with a green pixel in the first row and a blue one in the last."""
    monkeypatch.chdir(tmp_path)
    Path("detector.tflite").write_bytes(detector(("cat", "[bold]dog")))
    Path("unnamed.tflite").write_bytes(detector(()))
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[..., 0] = 255
    pixels[0, 1], pixels[3, 4] = (0, 255, 0), (80, 0, 175)
    Image.fromarray(pixels).save("image.png")
    np.save("two.npy", np.stack([pixels, pixels[:, ::-1]]))
    np.save("float.npy", (pixels / 255).astype(np.float32))
    return tmp_path


def predicted(capfd, *arguments):
    outcome = run(capfd, "predict", *arguments, "--json")
    assert outcome.code == 0, outcome
    return json.loads(outcome.out)


CAT = {"label": "cat", "index": 0, "score": 1.0, "box": [1, 0, 2, 1]}


def test_objects_and_their_picture(objects, capfd):
    found = predicted(capfd, "detector.tflite", "image.png")
    (image,) = found["images"]
    cat, dog = image["objects"]
    assert cat == CAT
    assert (dog["label"], dog["box"]) == ("[bold]dog", [4, 3, 5, 4])
    assert dog["score"] == pytest.approx(175 / 255)
    assert image["picture"] == "image.detections.png"
    with Image.open("image.detections.png") as picture:
        assert picture.size == (500, 400)


def test_a_table(objects, capfd):
    outcome = run(capfd, "predict", "detector.tflite", "image.png")
    assert outcome.code == 0
    assert "[bold]dog    68.6%      4     3       5        4" in outcome.out
    assert "picture  image.detections.png" in outcome.out


def test_a_threshold_leaves_the_likely_ones(objects, capfd):
    assert predicted(capfd, "detector.tflite", "image.png", "--threshold", 0.9)["images"][0]["objects"] == [CAT]
    assert run(capfd, "predict", "detector.tflite", "image.png", "--threshold", 1).code == 0
    Image.new("RGB", (5, 4), "red").save("red.png")
    outcome = run(capfd, "predict", "detector.tflite", "red.png")
    assert "nothing with a score of 0.3 or more; see --threshold" in outcome.out


def test_boxes_are_in_the_images_own_pixels(objects, capfd):
    with Image.open("image.png") as image:
        image.resize((500, 200), Image.Resampling.NEAREST).save("large.png")
    image = predicted(capfd, "detector.tflite", "large.png")["images"][0]
    assert image["resized_from"] == [200, 500]
    assert image["objects"][0]["box"] == [100, 0, 200, 50]


def test_where_pictures_go(objects, capfd):
    assert predicted(capfd, "detector.tflite", "image.png", "--out", "a.png")["images"][0]["picture"] == "a.png"
    found = predicted(capfd, "detector.tflite", "two.npy", "image.png", "--out", "folder")
    names = [image["picture"] for image in found["images"]]
    assert names == [f"folder/{name}.detections.png" for name in ("two[0]", "two[1]", "image")]
    assert all(Path(name).is_file() for name in names)
    Path("there").mkdir()
    found = predicted(capfd, "detector.tflite", "image.png", "--out", "there")
    assert found["images"][0]["picture"] == "there/image.detections.png"


def test_an_array_of_floats_has_no_picture(objects, capfd):
    image = predicted(capfd, "detector.tflite", "float.npy")["images"][0]
    assert image["picture"] is None
    assert image["objects"][0] == CAT


def test_without_labels_by_number(objects, capfd):
    image = predicted(capfd, "unnamed.tflite", "image.png")["images"][0]
    assert [found["label"] for found in image["objects"]] == ["0", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("detector.tflite none.png", "none.png: no such file"),
        ("detector.tflite image.png --threshold 2", "--threshold"),
        ("detector.tflite image.png --out image.png/a.png", "image.png/a.png"),
    ],
)
def test_wrong_inputs(objects, capfd, arguments, message):
    before = snapshot(objects)
    run(capfd, "predict", *arguments.split()).assert_one_line(message)
    assert snapshot(objects) == before


def test_a_classifier_draws_nothing(folder, capfd):
    run(capfd, "predict", "model.tflite", "red.png", "--out", "a.png").assert_one_line("Only a detector draws")
