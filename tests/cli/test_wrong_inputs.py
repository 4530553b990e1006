"""Every command's wrong inputs: exit code 2, one line, nothing written. A case is a line."""

import pytest

from tests.cli.support import run, snapshot
from tflbnn.cli import COMMANDS

# The command line, and what its one line must say.
CASES = [
    ("trian digits", "no such command"),
    ("list dogs", "recipes"),
    ("train", "needs a recipe or a trial"),
    ("train --from-trial none 1", "none"),
    ("train digits --distribute miror", "'mirrored'"),
    ("train digts", "'digits'"),
    ("train digits epoch=3", "epochs"),
    ("train digits epochs=many", "epochs"),
    ("train digits epochs=0", "epochs"),
    ("train digits growth_rate=-1 --smoke --out new", "growth_rate"),
    ("train digits =3", "key=value"),
    ("train digits --smoke --out text.txt", "text.txt"),
    ("train digits --smoke --out text.txt/run", "text.txt"),
    ("train digits --resume --out none", "none"),
    ("train digits --resume --out empty", "empty"),
    ("train digits --nonsense", "no such option"),
    ("train cifar10 --smoke --out new --data-dir none", "none"),
    ("tune", "missing argument"),
    ("tune digts", "'digits'"),
    ("tune digits growth_rat=8,16", "growth_rate"),
    ("tune digits t_clip=2..1", "t_clip"),
    ("tune digits --tuner hyperbnd", "hyperband"),
    ("tune digits --trials 0 --tuner random --out new", "trials"),
    ("tune digits --smoke --out text.txt/search", "text.txt"),
    ("tune digits --resume --out empty", "empty"),
    ("tune digits --objective accuracy,speed", "speed"),
    ("tune digits --constraint latency<5", "latency<=5ms"),
    ("tune digits --latency-table none.csv", "none.csv"),
    ("calibrate --only-models", "--models"),
    ("calibrate --from none.csv", "none.csv"),
    ("calibrate --from text.txt", "needs times"),
    ("calibrate --from text.txt --adb", "choose one"),
    ("ensemble", "needs a recipe or a trial"),
    ("ensemble digts --out new", "'digits'"),
    ("ensemble digits --members 0 --out new", "--members"),
    ("export", "missing argument"),
    ("export none", "none"),
    ("export empty", "empty"),
    ("export text.txt", "text.txt"),
    ("verify none", "none"),
    ("verify empty model.tflite", "empty"),
    ("optimize none.tflite", "none.tflite: no such file"),
    ("optimize text.txt", "text.txt"),
    ("lint cut.tflite", "cut.tflite"),
    ("lint binary_densnet28", "binary_densenet28"),
    ("predict model.tflite", "missing argument"),
    ("predict none.tflite red.png", "none.tflite: no such file"),
    ("predict empty red.png", "is a directory"),
    ("predict text.txt red.png", "no TensorFlow Lite model"),
    ("predict cut.tflite red.png", "cut.tflite"),
    ("predict binary.tflite red.png", "normalization"),
    ("predict bare.tflite red.png", "normalization"),
    ("predict model.tflite none.png", "none.png: no such file"),
    ("predict model.tflite empty", "is a directory"),
    ("predict model.tflite text.txt", "PNG or JPEG"),
    ("predict model.tflite cut.png", "cut.png"),
    ("predict model.tflite red.png none.png", "none.png"),
    ("predict model.tflite wrong.npy", "must have shape (any, 4, 5, 3). Received: (1, 6, 7, 3)"),
    ("predict model.tflite objects.npy", "one plain array"),
    ("predict model.tflite huge.npy", "huge.npy"),
    ("predict model.tflite red.png --top 0", "--top"),
    ("predict model.tflite red.png --threads 0", "--threads"),
    ("benchmark none.tflite", "none.tflite: no such file"),
    ("benchmark cut.tflite", "cut.tflite"),
    ("benchmark model.tflite --against text.txt", "text.txt"),
    ("benchmark model.tflite --rounds 0", "--rounds"),
    ("summary", "missing argument"),
    ("summary binary_densnet28", "binary_densenet28"),
    ("summary cut.tflite", "damaged"),
    ("summary binary_densenet28 growth_rat=3", "growth_rate"),
    ("summary binary_densenet28 --input-shape 3", "3"),
    ("summary binary_densenet28 --classes 1", "--classes"),
    ("summary empty", "empty"),
    ("visualize bits none", "none"),
    ("visualize features empty", "empty"),
    ("report none", "none"),
    ("report empty", "empty"),
    ("report text.txt", "text.txt"),
    ("doctor now", "now"),
]


@pytest.mark.parametrize(("line", "expected"), CASES, ids=lambda value: value)
@pytest.mark.parametrize("json_too", [False, True], ids=["", "json"])
def test_one_line_and_nothing_written(folder, capfd, line, expected, json_too):
    before = snapshot(folder)
    outcome = run(capfd, *line.split(), *(["--json"] if json_too and line.split()[0] in COMMANDS else []))
    outcome.assert_one_line(expected)
    assert snapshot(folder) == before


def test_every_command_has_cases():
    assert {line.split()[0] for line, _ in CASES} >= set(COMMANDS)


def test_unknown_kernel_in_the_environment(folder, capfd, monkeypatch):
    monkeypatch.setenv("TFLBNN_KERNEL", "avx51")
    run(capfd, "predict", "model.tflite", "red.png").assert_one_line("avx51")


def test_an_unreadable_file(folder, capfd, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    run(capfd, "predict", "model.tflite", "red.png").assert_one_line("model.tflite: permission denied")
