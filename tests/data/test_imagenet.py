"""ImageNet's two layouts, made small, in the real formats."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.data.imagenet_files import CLASSES, colour, write_folder, write_records
from tflbnn import data
from tflbnn.data import tfrecords
from tflbnn.errors import UserError
from tflbnn.recipes import Data

DATA = Data("imagenet", side=32, crop=24, validation=0.25)


@pytest.fixture(params=[write_folder, write_records])
def root(request, tmp_path):
    request.param(tmp_path / "imagenet", 4)
    return tmp_path


def test_images_are_where_they_are_until_looked_at(root):
    dataset = data.load(DATA, root)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (9, 3, 12)
    assert dataset.labels == CLASSES
    assert dataset.train.x.shape == (9, 32, 32, 3)
    assert dataset.input_shape == (24, 24, 3)
    for split in (dataset.train, dataset.validation, dataset.test):
        pixels = np.asarray(split.x)
        assert pixels.shape == split.x.shape
        for image, label in zip(pixels, split.y, strict=True):
            np.testing.assert_allclose(image.mean((0, 1)), colour(label), atol=3)
    assert dataset.normalization.mean[0] == 123.675


def test_a_network_sees_224_of_256_pixels(root):
    dataset = data.load(Data("imagenet", samples=12), root)
    assert (dataset.train.x.shape[1:], dataset.input_shape) == ((256, 256, 3), (224, 224, 3))


def test_the_middle_is_what_is_evaluated(tmp_path):
    write_folder(tmp_path, 2)
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[4:12, 4:12] = 255
    for label in CLASSES:
        for number in range(2):
            Image.fromarray(pixels).save(tmp_path / "val" / label / f"{label}_{number}.JPEG", "JPEG", quality=95)
    dataset = data.load(Data("imagenet", side=16, crop=8, validation=0.5), tmp_path)
    assert np.asarray(dataset.test.x).min() > 200


def test_only_photographs_have_a_side():
    with pytest.raises(UserError, match=r"for photographs: imagenet, voc\. Received: 32 for digits"):
        data.load(Data("digits", side=32))
    with pytest.raises(UserError, match=r"data\.crop must fit.*Received: 9 for digits"):
        data.load(Data("digits", crop=9))


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("TFLBNN_DATA", raising=False)
    with pytest.raises(UserError, match="needs train/ and val/"):
        data.load(DATA, tmp_path)
    write_folder(tmp_path, 1)
    for path in (tmp_path / "val" / CLASSES[0]).iterdir():
        path.unlink()
    (tmp_path / "val" / CLASSES[0]).rmdir()
    with pytest.raises(UserError, match=f"no {CLASSES[0]}"):
        data.load(DATA, tmp_path)
    for part in ("train", "val"):
        for path in (tmp_path / part).glob("*/*"):
            path.unlink()
    with pytest.raises(UserError, match="a folder a class"):
        data.load(DATA, tmp_path)


def test_damaged_records_are_refused_or_give_places_inside_the_file(tmp_path):
    write_records(tmp_path, 2)
    path = next(tmp_path.rglob("*train.tfrecord-00000*"))
    original, refused, rng = path.read_bytes(), 0, np.random.default_rng(0)
    for round_ in range(300):
        content = bytearray(original)
        if round_ % 3 == 0:
            content = content[: rng.integers(1, len(content))]
        else:
            for _ in range(3):
                content[rng.integers(0, 200)] = rng.integers(0, 256)
        path.write_bytes(content)
        try:
            places, labels = tfrecords.index([path])
            assert (places["offset"] >= 0).all()
            assert (places["offset"] + places["length"] <= len(content)).all()
            assert (labels >= 0).all()
        except UserError as error:
            assert str(path) in str(error) or "without one" in str(error)  # noqa: PT017
            refused += 1
    assert 100 < refused <= 300


def test_an_image_that_is_none_is_named(tmp_path):
    write_folder(tmp_path, 2)
    next((tmp_path / "train" / CLASSES[0]).iterdir()).write_bytes(b"no image")
    with pytest.raises(UserError, match="PNG or JPEG file"):
        np.asarray(data.load(Data("imagenet", side=16, crop=16, validation=0.5), tmp_path).train.x)
        np.asarray(data.load(Data("imagenet", side=16, crop=16, validation=0.5), tmp_path).validation.x)


def test_the_places_are_those_that_tensorflow_reads(tmp_path):
    from tflbnn._keras import tf

    write_records(tmp_path, 3)
    shards = sorted(tmp_path.rglob("*train.tfrecord-*"))
    places, labels = tfrecords.index(shards)
    features = {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)}
    records = [tf.io.parse_single_example(record, features) for record in tf.data.TFRecordDataset(shards)]
    assert [int(record["label"]) for record in records] == labels.tolist()
    for place, record in zip(places, records, strict=True):
        with open(shards[place["shard"]], "rb") as file:
            file.seek(place["offset"])
            content = file.read(place["length"])
        assert content == record["image"].numpy()
        assert Image.open(io.BytesIO(content)).size == (40, 30)
