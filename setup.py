"""Builds the delegate with CMake and maps converter/ and recipes/ into the package tflbnn. Metadata: pyproject.toml."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
# The platform tag of a wheel for another machine than this one; delegate/wheels.py sets it and the compiler.
PLATFORM = os.environ.get("TFLBNN_WHEEL_PLATFORM") or sysconfig.get_platform()
LIBRARIES = {"win": "tflbnn_delegate.dll", "macosx": "libtflbnn_delegate.dylib"}

# Top-level folders that users know by their own names, importable as parts of tflbnn.
MAPPED = {"tflbnn.converter": "converter", "tflbnn.recipes": "recipes"}


class BuildDelegate(build_ext):
    """Runs CMake; the library is no Python module, so its name carries no ABI tag."""

    def get_ext_filename(self, fullname: str) -> str:
        name = LIBRARIES.get(re.match("[a-z]*", PLATFORM)[0], "libtflbnn_delegate.so")
        return os.path.join(*fullname.split(".")[:-1], name)

    def build_extension(self, extension: Extension) -> None:
        target = Path(self.get_ext_fullpath(extension.name)).resolve()
        build = Path(self.build_temp).resolve() / "delegate"
        options = [
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={build}",
            f"-DCMAKE_RUNTIME_OUTPUT_DIRECTORY={build}",  # where Windows puts a .dll
            f"-DCMAKE_BUILD_TYPE={'Debug' if self.debug else 'Release'}",
            *os.environ.get("TFLBNN_CMAKE_OPTIONS", "").split(),
        ]
        subprocess.run(["cmake", "-G", "Ninja", "-S", ROOT / "delegate", "-B", build, *options], check=True)
        subprocess.run(["cmake", "--build", build, "--target", "tflbnn_delegate"], check=True)
        # Renamed into place: a process that has the old library loaded must not see its pages change.
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + ".new")
        shutil.copy2(build / target.name, fresh)
        fresh.replace(target)


class Wheel(bdist_wheel):
    """The delegate does not link to Python: one wheel a platform serves every Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", os.environ.get("TFLBNN_WHEEL_PLATFORM") or super().get_tag()[2]


packages = find_packages(include=["tflbnn", "tflbnn.*"])
for package, folder in MAPPED.items():
    packages += [package, *(f"{package}.{name}" for name in find_packages(folder))]

setup(
    packages=packages,
    package_dir={"tflbnn": "tflbnn", **MAPPED},
    ext_modules=[Extension("tflbnn.runtime.delegate_library", sources=[])],
    cmdclass={"build_ext": BuildDelegate, "bdist_wheel": Wheel},
)
