"""The C interface: its header, its installation, and how other projects find it."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.delegate.build import ROOT, build, cmake
from tflbnn import __version__
from tflbnn.runtime import delegate_path
from tflbnn.runtime.delegate import kernels

HEADER = ROOT / "delegate" / "c" / "tflbnn_delegate.h"
PROGRAM = r"""
#include "tflbnn_delegate.h"

#include <stdio.h>
#include <string.h>

int main(void) {
  char buffer[8] = "";
  tflbnn_delegate_options options = tflbnn_delegate_default_options();
  struct TfLiteDelegate* delegate = tflbnn_delegate_create(NULL);
  if (!delegate || *tflbnn_delegate_last_error()) return 1;
  if (tflbnn_delegate_profile(delegate, buffer, sizeof(buffer)) != -1) return 2;
  if (!strstr(tflbnn_delegate_last_error(), "profile=true")) return 3;
  tflbnn_delegate_destroy(delegate);
  tflbnn_delegate_destroy(NULL);
  options.num_threads = 2;
  options.profile = 1;
  options.kernel = "scalar";
  options.fusion = "none";
  delegate = tflbnn_delegate_create(&options);
  if (tflbnn_delegate_profile(delegate, buffer, sizeof(buffer)) < 10 || strlen(buffer) != 7) return 4;
  tflbnn_delegate_destroy(delegate);
  options.size = 8;
  if (tflbnn_delegate_create(&options)) return 5;
  printf("%s\n", tflbnn_delegate_last_error());
  options = tflbnn_delegate_default_options();
  options.kernel = "reverence";
  if (tflbnn_delegate_create(&options)) return 6;
  printf("%s\n%s\n%s\n", tflbnn_delegate_last_error(), tflbnn_delegate_version(), tflbnn_delegate_kernels());
  return 0;
}
"""
PRINTED = [
    "tflbnn: the options must come from tflbnn_delegate_default_options() of this library's header. "
    "Received: a structure of 8 bytes instead of 40",
    "tflbnn: unknown value of the option kernel. Received: reverence. Did you mean reference?",
    __version__,
    ",".join(kernels()),
]
CXX = os.environ.get("CXX", "c++")  # compiles C, too


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that was moved afterwards."""
    folder = tmp_path_factory.mktemp("install")
    cmake("--install", build("tests", targets=("tflbnn_delegate",)), "--prefix", folder / "first")
    return (folder / "first").rename(folder / "moved to here")


def library_folder(prefix: Path) -> Path:
    (library,) = prefix.rglob("libtflbnn_delegate.so")
    return library.parent


@pytest.mark.parametrize(
    "language",
    [
        ["-x", "c", "-std=c99"],
        ["-x", "c", "-std=c11"],
        ["-x", "c++", "-std=c++11"],
        ["-x", "c++", "-std=c++17"],
    ],
    ids=lambda command: command[-1],
)
def test_the_header_compiles(language: list[str], tmp_path: Path) -> None:
    source = tmp_path / "use"
    source.write_text(PROGRAM)
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Werror")
    run(CXX, *language, *warnings, "-fsyntax-only", f"-I{HEADER.parent}", source)


def test_what_is_installed(prefix: Path) -> None:
    names = {path.name for path in prefix.rglob("*") if path.is_file()}
    assert {"tflbnn_delegate.h", "libtflbnn_delegate.so", "tflbnn_delegate.pc", "tflbnn_delegateConfig.cmake"} <= names
    assert not {name for name in names if name.endswith((".a", ".o"))}


def test_cmake_finds_it(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "main.cc").write_text(PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(app LANGUAGES CXX)\n"
        f"find_package(tflbnn_delegate {__version__} REQUIRED)\n"
        "add_executable(app main.cc)\ntarget_link_libraries(app PRIVATE tflbnn::delegate)\n"
    )
    cmake("-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    cmake("--build", tmp_path / "build")
    assert run(tmp_path / "build" / "app").splitlines() == PRINTED


def pkg_config(folder: Path) -> list[str]:
    """--modversion, --cflags and --libs; where pkg-config is not installed, from the file as it would read it."""
    name = "tflbnn_delegate"
    if shutil.which("pkg-config"):
        path = {"PKG_CONFIG_PATH": str(folder)}
        return [run("pkg-config", option, name, **path).strip() for option in ("--modversion", "--cflags", "--libs")]
    text = (folder / f"{name}.pc").read_text()
    variables = {"pcfiledir": str(folder).replace(" ", "\\ ")}
    for key, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        variables[key] = re.sub(r"\$\{(\w+)\}", lambda match: variables[match[1]], value)
    fields = dict(re.findall(r"^(\w+): (.*)$", text, re.MULTILINE))
    return [
        re.sub(r"\$\{(\w+)\}", lambda match: variables[match[1]], fields[key]) for key in ("Version", "Cflags", "Libs")
    ]


def test_pkg_config_finds_it(prefix: Path, tmp_path: Path) -> None:
    source, app = tmp_path / "main.cc", tmp_path / "app"
    source.write_text(PROGRAM)
    folder = library_folder(prefix)
    version, *flags = pkg_config(folder / "pkgconfig")
    assert version == __version__
    run("sh", "-c", f"{CXX} -std=c++17 -o '{app}' '{source}' {' '.join(flags)} -Wl,-rpath,'{folder}'")
    assert run(app).splitlines() == PRINTED


def test_the_last_error_is_the_threads_own() -> None:
    import threading

    library = ctypes.CDLL(str(delegate_path()))
    library.tflbnn_delegate_last_error.restype = ctypes.c_char_p
    strings = ctypes.c_char_p * 1
    create = library.tflite_plugin_create_delegate
    create.restype = ctypes.c_void_p
    assert create(strings(b"kernal"), strings(b"auto"), ctypes.c_size_t(1), None) is None
    seen = []
    thread = threading.Thread(target=lambda: seen.append(library.tflbnn_delegate_last_error()))
    thread.start()
    thread.join()
    assert seen == [b""]
    assert b"Did you mean kernel?" in library.tflbnn_delegate_last_error()


def test_the_processors_features_fit_any_buffer() -> None:
    library = ctypes.CDLL(str(delegate_path()))
    short = ctypes.create_string_buffer(4)
    length = library.tflbnn_cpu_features(short, ctypes.c_size_t(4))
    assert length > 3
    assert len(short.value) == 3


def test_the_readme_names_every_function() -> None:
    readme = (ROOT / "delegate" / "README.md").read_text()
    declared = re.findall(r"^TFLBNN_EXPORT [^;(]*?(tflbnn_delegate_\w+)\(", HEADER.read_text(), re.MULTILINE)
    assert [name for name in declared if name not in readme] == []
