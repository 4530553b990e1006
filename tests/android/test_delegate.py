"""The delegate built for Android, in stock TensorFlow Lite for Android, on this machine (make test-android)."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from android_demo.tools import demo_models, elf, host, native
from android_demo.tools.demo_models import DEMO_MODELS
from tests.android import arm64, support
from tflbnn import data
from tflbnn.cli import main
from tflbnn.recipes import Recipe
from tflbnn.runtime import Model, adb

pytestmark = pytest.mark.long
NAMES = sorted(DEMO_MODELS)
COUNT = 1000
needs_qemu = pytest.mark.skipif(not shutil.which("qemu-aarch64"), reason="no qemu-aarch64: nothing is run for arm64")


@pytest.fixture(scope="module")
def x86_64() -> host.Host:
    return host.libraries()


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    """COUNT images of the data set of each model, uint8 NHWC."""
    demo_models.ensure()
    found = {}
    for name in NAMES:
        with Model(support.MODELS / f"{name}.tflite") as model:
            dataset = data.load(Recipe.from_dict(model.metadata.recipe).data)
        found[name] = np.concatenate([dataset.test.x, dataset.validation.x, dataset.train.x])[:COUNT]
    return found


def outputs_here(name: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The samples as the network takes them, and all its outputs for each in a row, in this Python."""
    with Model(support.MODELS / f"{name}.tflite") as model:
        samples = np.concatenate([model.preprocess(image) for image in images])
        outputs = model.predict(samples)
    values = outputs.values() if isinstance(outputs, dict) else [outputs]
    return samples, np.concatenate([value.reshape(len(images), -1) for value in values], axis=1)


@pytest.mark.parametrize("abi", native.ABIS)
def test_libraries_suit_every_android(abi: str) -> None:
    facts = elf.read(native.build(abi))  # which checks it
    assert set(facts.load_alignments) == {16384}
    assert not facts.has_tls
    assert "JNI_OnLoad" in facts.defined
    exported = {name for name in facts.defined if not name.startswith(("tflbnn_", "tflite_plugin_"))}
    assert exported == {"JNI_OnLoad"}


def test_java(x86_64: host.Host, tmp_path: Path) -> None:
    support.write_models(tmp_path)
    assert support.junit(x86_64, tmp_path) == ""


@needs_qemu
@pytest.mark.parametrize("processor", ["cortex-a53", "max"])
def test_java_on_arm64(processor: str, tmp_path: Path) -> None:
    support.write_models(tmp_path)
    assert support.junit(arm64.host(processor), tmp_path) == ""


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_those_of_tflbnn_predict(
    name: str, x86_64: host.Host, images: dict[str, np.ndarray], tmp_path: Path
) -> None:
    samples, wanted = outputs_here(name, images[name])
    outputs, said = support.predict(x86_64, support.MODELS / f"{name}.tflite", samples, tmp_path, xnnpack=True)
    assert "TensorFlow Lite 2.16.1 on amd64" in said
    np.testing.assert_allclose(outputs, wanted, rtol=0, atol=1e-4)
    if name != "shapes":
        assert np.array_equal(outputs.argmax(1), wanted.argmax(1))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "shapes"])
def test_predictions_are_those_of_the_command_line(
    name: str,
    x86_64: host.Host,
    images: dict[str, np.ndarray],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    files = []
    for index, image in enumerate(images[name]):
        files.append(tmp_path / f"{index:04}.png")
        Image.fromarray(image[:, :, 0]).save(files[-1])
    path = support.MODELS / f"{name}.tflite"
    with pytest.raises(SystemExit) as stopped:
        main(["predict", str(path), *map(str, files), "--json"])
    assert not stopped.value.code
    seen = json.loads(capsys.readouterr().out)["images"]
    with Model(path) as model:
        samples = np.concatenate([model.preprocess(file) for file in files])
    outputs, _ = support.predict(x86_64, path, samples, tmp_path, xnnpack=True)
    assert len(seen) == COUNT
    assert [image["top"][0]["index"] for image in seen] == outputs.argmax(1).tolist()


@needs_qemu
@pytest.mark.parametrize("name", NAMES)
def test_predictions_on_arm64(name: str, images: dict[str, np.ndarray], tmp_path: Path) -> None:
    count = COUNT if name == "digits" else 100  # qemu is slow
    samples, wanted = outputs_here(name, images[name][:count])
    outputs, said = support.predict(arm64.host(), support.MODELS / f"{name}.tflite", samples, tmp_path)
    assert "on aarch64, kernel neon" in said
    np.testing.assert_allclose(outputs, wanted, rtol=0, atol=1e-4)


def test_the_program_for_phones(
    x86_64: host.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    """tflbnn benchmark --adb with the real program, on a phone of a folder and the shim."""
    from tests.runtime import fake_adb

    demo_models.ensure()
    root, tools = tmp_path / "phone", tmp_path / "bin"
    for folder in (root / "data" / "local" / "tmp", tools):
        folder.mkdir(parents=True)
    (tools / "adb").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake_adb.__file__}" "$@"\n')
    (tools / "adb").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_ROOT", str(root))
    monkeypatch.setenv("FAKE_PHONES", "emulator-5554 device")
    monkeypatch.setenv("FAKE_ABIS", "x86_64")
    loader = f"/lib64/ld-linux-x86-64.so.2 --library-path {x86_64.ld_library_path}:."
    monkeypatch.setenv("FAKE_LOADER", loader)
    models = [str(support.MODELS / f"{name}.tflite") for name in ("digits", "digits-float")]
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", models[0], "--against", models[1], "--adb", "--rounds", "2", "--json"])
    output = capsys.readouterr()
    assert not stopped.value.code, output.err
    rows = json.loads(output.out)["rows"]
    assert rows[0]["kernel"] in ("avx512", "avx2", "scalar")
    assert [row["runs"] for row in rows] == [2 * adb.RUNS] * len(rows)
    assert all(0 < row["best_ms"] <= row["median_ms"] <= row["p90_ms"] for row in rows)
    assert rows[-1]["name"].endswith("without delegate")
