"""The parts of the Android builds that need no Android."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from android_demo.tools import archive, common, elf, maven, native
from android_demo.tools.app import version_code
from android_demo.tools.demo_models import DEMO_MODELS, recipe_of
from android_demo.tools.shim import trampolines

NAMES = st.from_regex(r"[a-z]{1,8}/[a-z]{1,20}\.(so|tflite|txt)", fullmatch=True)


@settings(deadline=None)
@given(members=st.dictionaries(NAMES, st.binary(max_size=40_000), max_size=6))
def test_stored_members_are_aligned(tmp_path_factory: pytest.TempPathFactory, members: dict[str, bytes]) -> None:
    path = tmp_path_factory.mktemp("archive") / "a.zip"
    archive.write_zip(path, members, stored=(".so", ".tflite"))
    with zipfile.ZipFile(path) as written:
        assert written.testzip() is None
        assert {name: written.read(name) for name in written.namelist()} == members
    found = archive.offsets(path)
    assert set(found) == {name for name in members if not name.endswith(".txt")}
    for name, offset in found.items():
        assert offset % (16384 if name.endswith(".so") else 4) == 0
        data = path.read_bytes()
        assert data[offset : offset + len(members[name])] == members[name]


def test_archives_of_the_same_members_are_the_same(tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        archive.write_zip(tmp_path / name, {"lib/x.so": b"library", "y.txt": b"text"}, stored=(".so",))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@pytest.mark.parametrize("options", [[], ["-m32"]])
def test_libraries_are_read_as_they_are(tmp_path: Path, options: list[str]) -> None:
    source, library = tmp_path / "a.c", tmp_path / "liba.so"
    source.write_text("int missing(int); int defined(int x) { return missing(x); }\n_Thread_local int variable;\n")
    compiler = shutil.which("cc") or "c++"
    page = "-Wl,-z,max-page-size=16384"
    built = subprocess.run([compiler, *options, "-shared", "-fPIC", "-nostdlib", page, "-o", library, source])
    if built.returncode and options:
        return  # a compiler for one size of pointers only
    facts = elf.read(library)
    assert "missing" in facts.undefined
    assert {"defined", "variable"} <= facts.defined
    assert set(facts.load_alignments) == {16384}
    assert facts.has_tls
    assert facts.needed == frozenset()


def test_everything_is_pinned() -> None:
    locked = maven._lock()
    assert set(locked) == set(maven.GROUPS)
    for group, wanted in maven.GROUPS.items():
        assert {maven.Artifact.parse(text) for text in wanted} <= set(locked[group])
    assert all(len(digest) == 64 for artifacts in locked.values() for digest in artifacts.values())


def test_a_file_that_was_changed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maven, "REPOSITORY", tmp_path)
    for artifact in maven._lock()["junit"]:
        artifact.path.parent.mkdir(parents=True)
        artifact.path.write_bytes(b"another file")
    with pytest.raises(common.BuildError, match=r"must have the SHA-256 .* Remove .*\.jar"):
        maven.fetch("junit")


def test_versions_grow() -> None:
    codes = [version_code(version) for version in ("0.1.0", "0.1.1", "0.2.0", "1.0.0", "1.0.12")]
    assert codes == sorted(set(codes))


def test_trampolines_cover_every_name_but_data() -> None:
    text = trampolines.assembler({"malloc", "__sF", "fprintf"}, "aarch64")
    assert ".symver trampoline_malloc,malloc@LIBC" in text
    assert "pointer_fprintf: .quad shim_fprintf" in text
    assert "__sF" not in text


def test_unknown_abis_are_refused() -> None:
    with pytest.raises(common.BuildError, match="Received: mips"):
        native.checked(["mips"])


@pytest.mark.parametrize("name", DEMO_MODELS)
def test_the_apps_models_have_recipes(name: str) -> None:
    assert recipe_of(name).epochs > 0
