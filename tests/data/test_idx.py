"""IDX files: what is whole is read, what is not is refused by name before memory is asked for."""

import gzip
import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.data.idx_files import idx, write_mnist
from tflbnn import data
from tflbnn.data.idx import read_idx, read_labels
from tflbnn.errors import UserError
from tflbnn.recipes import Data


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("idx")


@given(npst.arrays(np.uint8, npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=6)), st.booleans())
def test_reads_what_was_written(folder, values, compressed):
    path = folder / ("values.gz" if compressed else "values")
    path.write_bytes(gzip.compress(idx(values)) if compressed else idx(values))
    read = read_idx(path, values.ndim)
    assert read.dtype == np.uint8
    assert read.shape == values.shape
    assert np.array_equal(read, values)


IMAGES = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with 0, 0"),
        (b"\x89PNG", "starts with 0, 0"),
        (b"\0\1\x08\3" + bytes(30), "starts with 0, 0"),
        (b"\0\0\x08\3" + bytes(5), "header must be whole"),
        (idx(IMAGES, kind=0x0D), "float32"),
        (idx(IMAGES.reshape(6, 3)), "must have 3 dimensions"),
        (idx(IMAGES)[:-1], "holds fewer"),
        (idx(IMAGES) + b"\0", "holds more"),
        (b"\0\0\x08\3" + struct.pack(">3I", 10**9, 28, 28), "which claims 784000000000"),
        (b"\0\0\x08\3" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1), "must be at most"),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_no_such_file_is_refused_by_name(tmp_path, content, message, compressed):
    path = tmp_path / ("train-images-idx3-ubyte.gz" if compressed else "train-images-idx3-ubyte")
    path.write_bytes(gzip.compress(content) if compressed else content)
    with pytest.raises(UserError, match=message) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)


def test_cut_anywhere_is_refused(tmp_path):
    for name, content in (("x", idx(IMAGES)), ("x.gz", gzip.compress(idx(IMAGES)))):
        for length in range(len(content)):
            (tmp_path / name).write_bytes(content[:length])
            with pytest.raises(UserError):
                read_idx(tmp_path / name, 3)


def test_what_expands_without_end_is_not_expanded(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(idx(IMAGES) + bytes(50_000_000)))
    with pytest.raises(UserError, match="holds more"):
        read_idx(tmp_path / "x.gz", 3)


def test_labels_out_of_range_are_refused(tmp_path):
    (tmp_path / "labels").write_bytes(idx(np.array([0, 9, 10], np.uint8)))
    assert read_labels(tmp_path / "labels", 11).tolist() == [0, 9, 10]
    with pytest.raises(UserError, match="Labels must be below 10"):
        read_labels(tmp_path / "labels", 10)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read .*nothing-here"):
        read_idx(tmp_path / "nothing-here", 3)


@pytest.mark.parametrize("compressed", [False, True])
def test_mutated_files_give_an_error_or_valid_data(tmp_path, compressed):
    rng = random.Random(0)
    content = gzip.compress(idx(IMAGES)) if compressed else idx(IMAGES)
    path = tmp_path / ("x.gz" if compressed else "x")
    outcomes = {"data": 0, "error": 0}
    for _ in range(1000):
        mutated = bytearray(content)
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(mutated))
            kind = rng.randrange(4)
            if kind < 2:
                mutated[place] = rng.randrange(256)
            elif kind == 2:
                del mutated[place : place + rng.randint(1, 3)]
            else:
                mutated[place:place] = bytes(rng.randint(1, 3))
        path.write_bytes(mutated)
        try:
            values = read_idx(path, 3)
        except UserError as error:
            assert str(path) in str(error)  # noqa: PT017
            outcomes["error"] += 1
        else:
            assert values.ndim == 3
            outcomes["data"] += 1
    assert min(outcomes.values()) > 20


@pytest.mark.parametrize("compressed", [False, True])
def test_loads_a_data_set(tmp_path, compressed):
    x, y = write_mnist(tmp_path, 40, compressed)
    dataset = data.load(Data("mnist"), tmp_path)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (36, 4, 40)
    assert dataset.input_shape == (28, 28, 1)
    assert np.array_equal(dataset.test.x[..., 0], x)
    assert np.array_equal(dataset.test.y, y)


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    write_mnist(tmp_path, 40, compressed=False)
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx(np.zeros(39, np.uint8)))
    with pytest.raises(UserError, match=r"40 images in .*, 39 labels in"):
        data.load(Data("mnist"), tmp_path)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((39, 28, 27), np.uint8)))
    with pytest.raises(UserError, match="28×28 pixels"):
        data.load(Data("mnist"), tmp_path)


def test_the_given_folder_then_the_variable_then_the_distribution(tmp_path, monkeypatch):
    monkeypatch.setattr("tflbnn.data.files.DISTRIBUTION", tmp_path / "distribution")
    monkeypatch.setenv("TFLBNN_DATA", str(tmp_path / "variable"))
    places = ["given/fashion-mnist", "given", "variable/fashion-mnist", "distribution/fashion-mnist"]
    for number, place in enumerate(places, start=30):
        write_mnist(tmp_path / place, number, compressed=False)
    (tmp_path / "given" / "mnist").mkdir()

    def images():
        return len(data.load(Data("fashion-mnist"), tmp_path / "given").test)

    for number, place in enumerate(places, start=30):
        assert images() == number
        (tmp_path / place / "t10k-labels-idx1-ubyte").unlink()


def test_the_variable_keeps_sets_of_the_same_file_names_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("tflbnn.data.files.DISTRIBUTION", tmp_path / "nowhere")
    monkeypatch.setattr("tflbnn.data.idx.download", lambda name, remotes, wanted: pytest.fail(f"downloads {name}"))
    monkeypatch.setenv("TFLBNN_DATA", str(tmp_path))
    write_mnist(tmp_path, 30, compressed=False)
    with pytest.raises(pytest.fail.Exception, match="downloads mnist"):
        data.load(Data("mnist"))


def test_offline_and_absent_says_which_files_to_put_where(tmp_path, monkeypatch):
    monkeypatch.setattr("tflbnn.data.files.DISTRIBUTION", tmp_path / "nowhere")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.delenv("TFLBNN_DATA", raising=False)
    for module, name, wanted in (
        ("mnist", "mnist", "train-images-idx3-ubyte.gz"),
        ("cifar10", "cifar10", "cifar-10-python.tar.gz"),
    ):
        monkeypatch.setattr(
            f"tflbnn.data.{module}.{'REMOTES' if module == 'mnist' else 'LAYOUT'}", _unreachable(module)
        )
        with pytest.raises(UserError) as caught:
            data.load(Data(name))
        message = str(caught.value)
        assert wanted in message
        assert f"DIR/{name}" in message
        assert "--data-dir DIR" in message
        assert "\n" not in message
    assert not [path for path in (tmp_path / "keras" / "datasets").rglob("*") if path.is_file()]


def _unreachable(module):
    """The data set's remote files at an address where nothing answers."""
    import dataclasses

    from tflbnn.data import cifar10, mnist

    url = "http://127.0.0.1:9/file"
    if module == "mnist":
        return [dataclasses.replace(remote, url=url) for remote in mnist.REMOTES]
    return dataclasses.replace(cifar10.LAYOUT, remote=dataclasses.replace(cifar10.LAYOUT.remote, url=url))


def test_a_download_is_checked_and_kept(tmp_path, monkeypatch):
    import hashlib

    from tflbnn.data.files import Remote, download

    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    source = tmp_path / "source"
    source.write_bytes(b"content")
    remote = Remote(source.as_uri(), hashlib.sha256(b"content").hexdigest(), "set/file")
    assert download("set", [remote], "file") == [tmp_path / "keras" / "datasets" / "set" / "file"]
    source.write_bytes(b"changed")
    assert download("set", [remote], "file")[0].read_bytes() == b"content"  # from the cache
    other = Remote(source.as_uri(), remote.digest, "set/other")
    with pytest.raises(UserError, match="cannot be downloaded"):
        download("set", [other], "file")
