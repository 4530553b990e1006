"""Builds the delegate with CMake and maps converter/ and recipes/ into the package tflbnn. Metadata: pyproject.toml."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
LIBRARY = "tflbnn.runtime.libtflbnn_delegate"

# Top-level folders that users know by their own names, importable as parts of tflbnn.
MAPPED = {"tflbnn.converter": "converter", "tflbnn.recipes": "recipes"}


class BuildDelegate(build_ext):
    """Runs CMake; the library is no Python module, so its name carries no ABI tag."""

    def get_ext_filename(self, fullname: str) -> str:
        suffix = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
        return os.path.join(*fullname.split(".")) + suffix

    def build_extension(self, extension: Extension) -> None:
        target = Path(self.get_ext_fullpath(extension.name)).resolve()
        build = Path(self.build_temp).resolve() / "delegate"
        options = [
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={build}",
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
        return "py3", "none", super().get_tag()[2]


packages = find_packages(include=["tflbnn", "tflbnn.*"])
for package, folder in MAPPED.items():
    packages += [package, *(f"{package}.{name}" for name in find_packages(folder))]

setup(
    packages=packages,
    package_dir={"tflbnn": "tflbnn", **MAPPED},
    ext_modules=[Extension(LIBRARY, sources=[])],
    cmdclass={"build_ext": BuildDelegate, "bdist_wheel": Wheel},
)
