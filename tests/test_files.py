"""Files are written whole or not at all."""

import json
import os
import resource
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn._files import atomic_path, atomic_write, read_json, write_json
from tflbnn.errors import UserError, nearest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_json_comes_back_as_it_was_written(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path, "value") == value


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "model.tflite"
    atomic_write(path, b"old")
    with pytest.raises(ZeroDivisionError), atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.tflite"]


def test_a_written_file_has_the_rights_of_an_ordinary_one(tmp_path):
    path = tmp_path / "labels.txt"
    before = os.umask(0o022)
    try:
        atomic_write(path, "zero\n")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_full_disk_gives_one_line_and_leaves_nothing(tmp_path):
    """The limit on a file's size stands for a full disk: the write fails half way."""

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    script = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from tflbnn._files import atomic_write\nfrom tflbnn.errors import UserError\n"
        "try:\n  atomic_write(sys.argv[1], bytes(100_000))\nexcept UserError as error:\n  print(error)\n"
    )
    path = tmp_path / "big.bin"
    done = subprocess.run([sys.executable, "-c", script, path], preexec_fn=limit, capture_output=True, text=True)
    assert done.stdout == f"Cannot write {path}: file too large.\n", done.stderr
    assert os.listdir(tmp_path) == []


def test_a_file_where_a_folder_should_be_is_named(tmp_path):
    (tmp_path / "run").write_text("")
    with pytest.raises(UserError, match=r"Cannot write .*recipe\.json: "):
        write_json(tmp_path / "run" / "recipe.json", {})


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a": 1'])
def test_a_file_that_is_not_json_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "recipe.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="The recipe must be JSON") as caught:
        read_json(path, "recipe")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"Cannot read the recipe .*recipe\.json: no such file"):
        read_json(tmp_path / "recipe.json", "recipe")


@given(json_values)
def test_what_is_written_is_plain_json(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == value


@pytest.mark.parametrize(
    ("word", "expected"),
    [("growht_rate", "Did you mean 'growth_rate'?"), ("zzz", "Choose one of: growth_rate, t_clip.")],
)
def test_an_unknown_name_meets_its_nearest(word, expected):
    assert nearest(word, ["growth_rate", "t_clip"]) == expected
