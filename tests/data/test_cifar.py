"""CIFAR's real format, read as data: what is whole is read, what is not is refused by name, nothing is executed."""

import io
import os
import pickle
import random
import tarfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.cifar_files import array, batch, pickled, random_images, write_cifar10
from tflbnn import data
from tflbnn.data.cifar import read_batch
from tflbnn.errors import UserError
from tflbnn.recipes import Data


def _read(content, classes=10):
    return read_batch(content, "data_batch_1", "labels", classes)


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(0, 2**31))
def test_reads_what_python_2_wrote(labels, seed):
    images = random_images(len(labels), seed)
    content = batch(images, labels)
    split = _read(content)
    assert np.array_equal(split.x, images)
    assert split.x.dtype == np.uint8
    assert split.y.tolist() == labels
    # And what was written here is what Python itself reads from it.
    reference = pickle.loads(content, encoding="bytes")
    assert np.array_equal(reference[b"data"], images.transpose(0, 3, 1, 2).reshape(len(labels), 3072))


def test_reads_more_labels_than_one_append():
    labels = [index % 10 for index in range(2345)]
    assert _read(batch(np.zeros((2345, 32, 32, 3), np.uint8), labels)).y.tolist() == labels


class _Bomb:
    def __reduce__(self):
        return (os.mkdir, ("exploded",))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_executed(protocol, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="data_batch_1"):
        _read(pickle.dumps({"data": _Bomb(), "labels": []}, protocol))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "name",
    [b"os\nsystem", b"builtins\neval", b"numpy\nload", b"numpy.core.multiarray\nscalar", b"copyreg\n_reconstructor"],
)
def test_names_are_refused(name):
    content = b"\x80\x02}(U\x04datac" + name + b"\n(U\x02lstRu."
    with pytest.raises(UserError, match="will not be loaded"):
        _read(content)


ROWS = np.zeros((2, 3072), np.uint8)
LABELS = b"](K\x00K\x01e"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "damaged"),
        (b"\x80\x02}.x", "goes on after its end"),
        (b"\x80\x02].", "damaged"),
        (b"\x80\x04}.", "protocol 4"),
        (pickled({}), "'data', rows of 3072"),
        (pickled({b"data": array(ROWS)}), "'labels', a label an image"),
        (pickled({b"data": LABELS, b"labels": LABELS}), "'data', rows of 3072"),
        (pickled({b"data": array(ROWS[:, :100]), b"labels": LABELS}), "'data', rows of 3072"),
        (pickled({b"data": array(ROWS[0]), b"labels": LABELS}), "'data', rows of 3072"),
        (pickled({b"data": array(ROWS, b"f4"), b"labels": LABELS}), "not of unsigned bytes"),
        (pickled({b"data": array(ROWS, b"O8"), b"labels": LABELS}), "not of unsigned bytes"),
        (pickled({b"data": array(ROWS[:1]), b"labels": LABELS}), "a label an image"),
        (pickled({b"data": array(ROWS), b"labels": b"](K\x00K\x0ae"}), "from 0 to 9"),
        (pickled({b"data": array(ROWS), b"labels": b"](K\x00J\xff\xff\xff\xffe"}), "from 0 to 9"),
        (pickled({b"data": array(ROWS), b"labels": b"](K\x00\x88e"}), "from 0 to 9"),
        (pickled({b"data": array(ROWS).replace(b"M\x00\x0c", b"M\x01\x0c"), b"labels": LABELS}), "size that it claims"),
        (
            pickled({b"data": array(ROWS).replace(b"K\x02M", b"J\xff\xff\xff\x7fM"), b"labels": LABELS}),
            "size that it claims",
        ),
        (b"\x80\x02r\xff\xff\xff\x7f.", "damaged"),
        (b"\x80\x02T\xff\xff\xff\x7f.", "damaged"),
    ],
)
def test_what_is_no_batch_is_refused_by_name(content, message):
    with pytest.raises(UserError, match=message) as caught:
        _read(content)
    assert "data_batch_1" in str(caught.value)


def test_cut_anywhere_is_refused():
    content = batch(random_images(1), [3])
    for length in [*range(0, len(content), 37), len(content) - 1]:
        with pytest.raises(UserError):
            _read(content[:length])


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # pickletools looks into strings
def test_mutated_files_give_an_error_or_valid_data():
    rng = random.Random(0)
    content = batch(random_images(2), [3, 7])
    outcomes = {"data": 0, "error": 0}
    # Most bytes are pixels; the rest, where the instructions are, is changed more often.
    instructions = [index for index in range(len(content)) if index < 260 or index > len(content) - 80]
    for _ in range(2000):
        mutated = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            place = rng.choice(instructions) if rng.random() < 0.8 else rng.randrange(len(mutated))
            kind = rng.randrange(3)
            if kind == 0:
                mutated[min(place, len(mutated) - 1)] = rng.randrange(256)
            elif kind == 1:
                del mutated[place : place + rng.randint(1, 8)]
            else:
                mutated[place:place] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 5)))
        try:
            split = _read(bytes(mutated))
        except UserError as error:
            assert "\n" not in str(error)  # noqa: PT017
            outcomes["error"] += 1
        else:
            assert split.x.shape == (len(split.y), 32, 32, 3)
            assert ((split.y >= 0) & (split.y < 10)).all()
            outcomes["data"] += 1
    assert min(outcomes.values()) > 100


@pytest.mark.parametrize("place", ["cifar10/cifar-10-batches-py", "cifar-10-batches-py", "cifar10", "."])
def test_finds_the_folder(tmp_path, place):
    write_cifar10(tmp_path / "data" / place if place != "." else tmp_path / "data")
    dataset = data.load(Data("cifar10"), tmp_path / "data")
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (90, 10, 20)
    assert dataset.input_shape == (32, 32, 3)
    assert np.array_equal(dataset.test.x, random_images(20, 6))
    assert dataset.labels[3] == "cat"


def _archive(path, folder):
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, arcname=folder.name)
    return path


def test_reads_the_archive_and_writes_nothing(tmp_path):
    write_cifar10(tmp_path / "cifar-10-batches-py")
    (tmp_path / "data").mkdir()
    path = _archive(tmp_path / "data" / "cifar-10-python.tar.gz", tmp_path / "cifar-10-batches-py")
    assert np.array_equal(data.load(Data("cifar10"), path.parent).test.x, random_images(20, 6))
    assert list(path.parent.iterdir()) == [path]

    content = path.read_bytes()
    for length in (0, 10, 1000, len(content) // 2):
        path.write_bytes(content[:length])
        with pytest.raises(UserError, match=r"cifar-10-python\.tar\.gz"):
            data.load(Data("cifar10"), path.parent)


def test_an_archive_without_a_batch_and_with_a_link_is_refused(tmp_path):
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for number in range(1, 6):
            member = tarfile.TarInfo(f"cifar-10-batches-py/data_batch_{number}")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(member)
        archive.addfile(tarfile.TarInfo("../../cifar-10-batches-py/test_batch"), io.BytesIO(b""))
    with pytest.raises(UserError, match="must hold cifar-10-batches-py/data_batch_1"):
        data.load(Data("cifar10"), tmp_path)


def test_cifar100_uses_the_fine_labels(tmp_path):
    folder = tmp_path / "cifar-100-python"
    folder.mkdir()
    labels = list(range(100))
    for name, seed in (("train", 1), ("test", 2)):
        (folder / name).write_bytes(batch(random_images(100, seed), labels, b"fine_labels"))
    dataset = data.load(Data("cifar100", validation=0.2), tmp_path)
    assert (len(dataset.train), len(dataset.validation), dataset.classes) == (80, 20, 100)
    assert dataset.labels[:2] == ("apple", "aquarium-fish")
    assert len(set(dataset.labels)) == 100
