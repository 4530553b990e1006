"""A folder with good and bad files, and one trained run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.runtime import small_models
from tflbnn.cli import main
from tflbnn.runtime.metadata import Metadata, add_metadata


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what the commands' cases name."""
    monkeypatch.chdir(tmp_path)
    described = Metadata(labels=("red", "green", "blue"), mean=(0.0,), std=(255.0,))
    model = add_metadata(small_models.classifier(np.eye(3)), described)
    Path("model.tflite").write_bytes(model)
    Path("bare.tflite").write_bytes(small_models.classifier(np.eye(3)))
    Path("binary.tflite").write_bytes(small_models.binary(np.ones((2, 3))))
    Path("cut.tflite").write_bytes(model[:300])
    Path("text.txt").write_text("hello\n")
    Image.new("RGB", (5, 4), "red").save("red.png")
    Path("cut.png").write_bytes(Path("red.png").read_bytes()[:50])
    np.save("pixels.npy", np.zeros((2, 4, 5, 3), np.uint8))
    np.save("wrong.npy", np.zeros((1, 6, 7, 3), np.float32))
    np.save("objects.npy", np.array([{}], object), allow_pickle=True)
    Path("huge.npy").write_bytes(Path("wrong.npy").read_bytes().replace(b"(1, 6, 7, 3)", b"(9999999999,)"))
    Path("empty").mkdir()
    return tmp_path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the recipe digits, as short as can be. Nobody may change it."""
    path = tmp_path_factory.mktemp("runs") / "digits"
    with pytest.raises(SystemExit) as end:
        main(["train", "digits", "--smoke", "--out", str(path)])
    assert end.value.code == 0
    return path
