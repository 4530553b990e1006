"""tflbnn benchmark --adb, with a program in the place of adb that answers as adb does."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.runtime.small_models import binary
from tflbnn.cli import main
from tflbnn.errors import UserError
from tflbnn.runtime import adb

# In the place of the program for phones. The more threads, the faster; twice as slow without the delegate.
PROGRAM = """#!/bin/sh
[ -f "$1" ] || { echo '{"error": "TensorFlow Lite cannot read the model"}'; exit 1; }
echo "INFO: Initialized TensorFlow Lite runtime." >&2
kernel=neon
[ "$4" = yes ] || kernel=
printf '{"kernel": "%s", "peak_memory_bytes": 1048576, "milliseconds": [' "$kernel"
for i in 1 2 3 4 5 6 7 8 9; do printf '%s, ' "$((4 / $2)).5"; done
echo '8.5]}'
"""


@pytest.fixture
def phone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The phone's folder; adb and the program for it are in place."""
    root, programs, tools = tmp_path / "phone", tmp_path / "programs" / "arm64-v8a", tmp_path / "bin"
    for folder in (root / "data" / "local" / "tmp", programs, tools):
        folder.mkdir(parents=True)
    (programs / adb.PROGRAM).write_text(PROGRAM)
    for name in adb.LIBRARIES:
        (programs / name).write_bytes(b"library")
    script = Path(__file__).with_name("fake_adb.py")
    (tools / "adb").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    (tools / "adb").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_ROOT", str(root))
    monkeypatch.setenv("FAKE_PHONES", "2B111FDH2000XY device")
    monkeypatch.setattr(adb, "PROGRAMS", programs.parent)
    return root


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "a model's file.tflite"
    path.write_bytes(binary(np.ones((7, 33))))
    return path


def run(capsys: pytest.CaptureFixture, *arguments: str | Path) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["benchmark", *map(str, arguments)])
    output = capsys.readouterr()
    return int(stopped.value.code or 0), output.out, output.err


def test_measures_on_the_phone(phone: Path, model: Path, capsys: pytest.CaptureFixture) -> None:
    code, out, _ = run(capsys, model, "--adb", "--rounds", "3", "--threads", "2", "--json")
    result = json.loads(out)
    assert code == 0
    assert result["device"] == "Google Pixel 7, GS201, Android 15"
    (row,) = result["rows"]
    assert row["kernel"] == "neon"
    assert row["runs"] == 3 * adb.RUNS
    assert (row["median_ms"], row["p90_ms"], row["best_ms"]) == (2.5, pytest.approx(3.1), 2.5)
    assert row["peak_memory_bytes"] == 1048576
    assert row["ratio"] == 1


def test_leaves_nothing_on_the_phone(phone: Path, model: Path, capsys: pytest.CaptureFixture) -> None:
    assert run(capsys, model, "--adb", "--rounds", "1")[0] == 0
    assert list((phone / "data" / "local" / "tmp").iterdir()) == []
    with pytest.raises(UserError, match="cannot read the model"), adb.open_phone() as opened:
        opened.run("missing.tflite", 1, True)
    assert list((phone / "data" / "local" / "tmp").iterdir()) == []


def test_shows_the_phone_above_the_table(phone: Path, model: Path, capsys: pytest.CaptureFixture) -> None:
    _, out, _ = run(capsys, model, "--adb", "--rounds", "1", "--against", model)
    assert "Google Pixel 7, GS201, Android 15" in out
    assert out.count("neon") == 2


@pytest.mark.parametrize(
    ("phones", "arguments", "message"),
    [
        ("", [], "adb must see a phone. Received: none. Connect it and switch on USB debugging"),
        ("A device\nB device", [], "Several phones are connected. Received: A, B. Choose one: --device SERIAL"),
        ("A device", ["--device", "C"], "a phone with the serial number C. Received: A."),
        ("A unauthorized", [], "The phone A does not trust this computer. Unlock it and allow USB debugging"),
        ("A offline", [], "The phone A must be ready. Received: offline."),
    ],
)
def test_phones_that_cannot_be_used(
    phones: str,
    arguments: list[str],
    message: str,
    phone: Path,
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setenv("FAKE_PHONES", phones)
    code, out, err = run(capsys, model, "--adb", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_a_named_phone_among_several(
    phone: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("FAKE_PHONES", "A offline\nB device")
    assert run(capsys, model, "--adb", "--device", "B", "--rounds", "1")[0] == 0


def test_no_adb(model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(adb.shutil, "which", lambda name: None)
    code, _, err = run(capsys, model, "--adb")
    assert code == 2
    assert "needs adb, which is not on the PATH" in err


def test_a_processor_that_was_not_built_for(
    phone: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("FAKE_ABIS", "riscv64")
    code, _, err = run(capsys, model, "--adb")
    assert code == 2
    assert re.search(r"processor \(riscv64\). Received: none in .*make apk ABIS=", err)


def test_a_program_that_dies(phone: Path, model: Path, capsys: pytest.CaptureFixture) -> None:
    (adb.PROGRAMS / "arm64-v8a" / adb.PROGRAM).write_text("#!/bin/sh\necho 'CANNOT LINK EXECUTABLE' >&2\nexit 1\n")
    code, _, err = run(capsys, model, "--adb")
    assert code == 2
    assert "failed on the phone: CANNOT LINK EXECUTABLE exit code 1" in err


def test_options_that_contradict_each_other(model: Path, capsys: pytest.CaptureFixture) -> None:
    assert "Leave one out" in run(capsys, model, "--adb", "--per-op")[2]
    assert "without --adb" in run(capsys, model, "--device", "A")[2]
