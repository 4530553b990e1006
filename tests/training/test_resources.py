"""TensorFlow's errors about disk and memory become one line; others stay what they are."""

from pathlib import Path

import pytest

from tflbnn._keras import tf
from tflbnn.errors import UserError
from tflbnn.training.resources import readable_tensorflow_errors


def test_a_lack_of_memory_names_the_tensor_and_the_cure():
    message = r"no memory for a tensor with shape\[1000000,1000000,1000\].*Lower batch_size"
    with pytest.raises(UserError, match=message), readable_tensorflow_errors(Path("/run")):
        tf.zeros((1_000_000, 1_000_000, 1000))


def test_a_file_that_cannot_be_written_names_the_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=f"^Cannot write {tmp_path}: "), readable_tensorflow_errors(tmp_path):
        tf.io.write_file(str(tmp_path / "file" / "x"), "content")


def test_other_errors_are_not_touched(tmp_path):
    with pytest.raises(tf.errors.InvalidArgumentError), readable_tensorflow_errors(tmp_path):
        tf.reshape(tf.zeros(3), (2, 2))
