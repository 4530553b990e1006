"""Compiles the app without an SDK, into build/android/app/: resources with aapt2, Kotlin with its compiler alone.

python -m android_demo.tools.app
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from android_demo.tools import aar
from android_demo.tools.archive import write_zip
from android_demo.tools.common import BUILD, MIN_SDK, ROOT, TARGET_SDK, BuildError, main, require, run, up_to_date
from android_demo.tools.maven import classpath, fetch, jars, unpack
from tflbnn import __version__

SOURCE = ROOT / "android_demo" / "app" / "src" / "main"
OUT = BUILD / "app"
PACKAGE = "org.tflbnn.demo"


@dataclass(frozen=True)
class CompiledApp:
    """What aapt2 and the compilers made; `resources` holds the binary manifest and the assets, too."""

    resources: Path
    classes: Path
    manifest: Path
    rules: Path
    classpath: str


def aapt2() -> Path:
    """Of the tools that build resources; the one within apktool is newer than Debian's."""
    folder = {"linux": "linux/aapt2_64", "darwin": "macosx/aapt2_64"}.get(sys.platform)
    if folder is None:
        raise BuildError(f"aapt2 is here for Linux and macOS. Received: {sys.platform}. Build with Gradle")
    program = unpack(fetch("apktool")[0], f"prebuilt/{folder}")
    program.chmod(0o755)
    return program


def version_code(version: str) -> int:
    """A number that grows with the version.

    >>> version_code("0.1.0")
    256
    """
    major, minor, patch = (int(number) for number in re.findall(r"\d+", version)[:3])
    return major << 16 | minor << 8 | patch


def merged_manifest() -> Path:
    """With the package, which Gradle takes from its own files and adds, too."""
    text = (SOURCE / "AndroidManifest.xml").read_text(encoding="utf-8")
    if " package=" not in text:
        text = text.replace("<manifest", f'<manifest package="{PACKAGE}"', 1)
    path = OUT / "AndroidManifest.xml"
    path.write_text(text, encoding="utf-8")
    return path


def compile_resources() -> Path:
    """resources.ap_, and beside it R.java in gen/ and the keep rules of what the resources name."""
    compiled, linked, assets = OUT / "resources.zip", OUT / "resources.ap_", SOURCE / "assets"
    files = [path for folder in (SOURCE / "res", assets) for path in folder.rglob("*")]
    if up_to_date(linked, [SOURCE / "AndroidManifest.xml", ROOT / "tflbnn" / "__init__.py", *files]):
        return linked
    run(aapt2(), "compile", "--dir", SOURCE / "res", "-o", compiled)
    shutil.rmtree(OUT / "gen", ignore_errors=True)
    (android,) = fetch("android")
    run(
        *(aapt2(), "link", "-I", android, "--manifest", merged_manifest(), "-o", linked, "--java", OUT / "gen"),
        *("--min-sdk-version", str(MIN_SDK), "--target-sdk-version", str(TARGET_SDK)),
        *("--version-code", str(version_code(__version__)), "--version-name", __version__),
        *("--proguard", OUT / "resources.pro", "-0", "tflite"),  # models are mapped, so they stay uncompressed
        *(("-A", assets) if assets.is_dir() else ()),
        compiled,
    )
    return linked


def compile_kotlin(libraries: str) -> Path:
    """app.jar, with the class R in it."""
    classes = OUT / "classes"
    target = OUT / "app.jar"
    generated = sorted((OUT / "gen").rglob("*.java"))
    sources = sorted((SOURCE / "kotlin").rglob("*.kt"))
    if up_to_date(target, [*(SOURCE / "kotlin").rglob("*"), *generated, aar.CLASSES]):
        return target
    shutil.rmtree(classes, ignore_errors=True)
    run("javac", "--release", "8", "-Xlint:-options", "-d", classes, *generated)
    arguments = ("-no-stdlib", "-no-reflect", "-Xjdk-release=1.8", "-jvm-target", "1.8")
    path = os.pathsep.join([str(classes), libraries])
    compiler = ("-cp", classpath("kotlinc"), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler")
    run("java", *compiler, *arguments, "-cp", path, "-d", classes, *sources)
    write_zip(target, {str(file.relative_to(classes)): file.read_bytes() for file in sorted(classes.rglob("*.*"))})
    return target


def compile_app() -> CompiledApp:
    """Resources and classes, made anew where sources have changed."""
    require("java", "openjdk-17-jdk-headless")
    OUT.mkdir(parents=True, exist_ok=True)
    libraries = os.pathsep.join(map(str, [aar.compile_java(), *jars("android", "tflite", "kotlin")]))
    resources = compile_resources()
    return CompiledApp(
        resources, compile_kotlin(libraries), OUT / "AndroidManifest.xml", OUT / "resources.pro", libraries
    )


if __name__ == "__main__":
    main(lambda: print(compile_app().classes))
