"""Runs the app's tests on this machine: the real screens on Robolectric, with the real TensorFlow Lite and delegate.

python -m android_demo.tools.app_tests [--sdk 34] [CLASS...]     # pictures of all screens: build/screenshots/
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess

from android_demo.tools import app, app_testdata, host
from android_demo.tools.common import BUILD, ROOT, BuildError, main, run, up_to_date
from android_demo.tools.maven import classpath, robolectric_offline

SOURCE = ROOT / "android_demo" / "app" / "src" / "test"
OUT = BUILD / "app-tests"
SCREENSHOTS = ROOT / "build" / "screenshots"
CLASSES = OUT / "classes"
CONFIGURATION = OUT / "configuration" / "com" / "android" / "tools" / "test_config.properties"
# All of the heap is in memory from the start, and the compiler needs little, so that what a test sees the process grow
# by is a leak.
MEMORY = ("-Xms1g", "-Xmx1g", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# Robolectric reaches into the JDK to play the parts of Android.
OPENED = ("java.base/java.lang", "java.base/java.lang.reflect", "java.base/java.util", "java.base/java.io")


def compile_tests(compiled: app.CompiledApp) -> None:
    sources = sorted(SOURCE.rglob("*.kt"))
    done = OUT / "compiled"
    if up_to_date(done, [*sources, compiled.classes]):
        return
    shutil.rmtree(CLASSES, ignore_errors=True)
    CLASSES.mkdir(parents=True)
    libraries = os.pathsep.join([str(compiled.classes), compiled.classpath, classpath("robolectric")])
    run(
        *("java", "-cp", classpath("kotlinc"), "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"),
        *("-no-stdlib", "-no-reflect", "-jvm-target", "17", f"-Xfriend-paths={compiled.classes}"),
        *("-cp", libraries, "-d", CLASSES, *sources),
    )
    done.touch()


def configure(compiled: app.CompiledApp) -> None:
    """Where Robolectric finds the app, in the form in which Gradle tells it."""
    values = {
        "android_merged_manifest": compiled.manifest,
        "android_resource_apk": compiled.resources,
        "android_custom_package": app.PACKAGE,
        "android_merged_assets": app.SOURCE / "assets",
        "android_merged_resources": app.SOURCE / "res",
    }
    CONFIGURATION.parent.mkdir(parents=True, exist_ok=True)
    CONFIGURATION.write_text("".join(f"{key}={value}\n" for key, value in values.items()))


def test_classes() -> list[str]:
    """The names of all test classes."""
    files = sorted((SOURCE / "kotlin").rglob("*Test.kt"))
    return [".".join(file.relative_to(SOURCE / "kotlin").with_suffix("").parts) for file in files]


def run_tests(sdk: str, classes: list[str]) -> int:
    """JUnit's exit status."""
    compiled = app.compile_app()
    compile_tests(compiled)
    configure(compiled)
    data = OUT / "data"
    app_testdata.write(data)
    libraries = host.libraries()
    path = [CLASSES, SOURCE / "resources", OUT / "configuration", compiled.classes]
    properties = {
        "robolectric.offline": "true",
        "robolectric.dependency.dir": robolectric_offline(),
        "robolectric.enabledSdks": sdk,
        "java.library.path": libraries.java_library_path,
        "tflbnn.testdata": data,
        "tflbnn.screenshots": SCREENSHOTS,
    }
    # Of the classpath's two Androids Robolectric brings its own; the one to compile against must not come before it.
    jars = classpath("tflite", "kotlin", "robolectric", "android")
    command = [
        *("java", *MEMORY, *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENED)),
        *(f"-D{key}={value}" for key, value in properties.items()),
        *("-cp", os.pathsep.join([*map(str, path), str(app.aar.CLASSES), jars])),
        *("org.junit.runner.JUnitCore", *classes),
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries.ld_library_path}
    return subprocess.run(list(map(str, command)), env=environment, cwd=ROOT).returncode


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("classes", nargs="*", metavar="CLASS", help="such as CameraScreenTest; all by default")
    parser.add_argument("--sdk", default="35", choices=["34", "35"], help="the Android version's number")
    arguments = parser.parse_args()
    known = test_classes()
    chosen = [name for name in known if name.rpartition(".")[2] in arguments.classes] if arguments.classes else known
    if len(chosen) < len(arguments.classes):
        raise BuildError(f"A test's class must be one of {', '.join(known)}. Received: {', '.join(arguments.classes)}")
    if status := run_tests(arguments.sdk, chosen):
        raise BuildError(f"The app's tests failed. Received: status {status}. Their messages are above")


if __name__ == "__main__":
    main(_main)
