"""The Java half of these tests: compiled here, run in a JVM with Android's libraries."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import numpy as np

from android_demo.tools import aar, native
from android_demo.tools.common import BUILD, ROOT, newest, run
from android_demo.tools.host import Host
from android_demo.tools.maven import classpath
from tests.delegate.networks import CHANNELS, SIZE, chain
from tests.delegate.test_wrong_models import WRONG

JAVA = Path(__file__).with_name("java")
OUT = BUILD / "tests"
MODELS = ROOT / "android_demo" / "app" / "src" / "main" / "assets" / "models"


@cache
def java_classpath() -> str:
    """The tests' classes with all that they need; libxnnpack_jni.so lies in OUT."""
    libraries = os.pathsep.join([str(aar.compile_java()), classpath("tflite", "junit")])
    classes = OUT / "classes"
    run(
        "javac",
        "--release",
        "11",
        "-Xlint:all",
        "-Werror",
        "-cp",
        libraries,
        "-d",
        classes,
        *sorted(JAVA.rglob("*.java")),
    )
    include = native.java_home() / "include"
    helper = OUT / "libxnnpack_jni.so"
    source = Path(__file__).with_name("xnnpack_jni.c")
    if not helper.exists() or helper.stat().st_mtime < newest([source]):
        run("cc", "-O1", "-fPIC", "-shared", "-I", include, "-I", include / "linux", "-o", helper, source)
    return os.pathsep.join([str(classes), libraries])


def write_models(folder: Path) -> None:
    """chain.tflite with an input and the output it must give, and models that must be refused."""
    network = chain()
    x = np.random.default_rng(0).standard_normal((1, SIZE, SIZE, CHANNELS)).astype(np.float32)
    (folder / "chain.tflite").write_bytes(network.model)
    x.tofile(folder / "chain.x")
    network(x).tofile(folder / "chain.y")
    (folder / "wrong").mkdir(exist_ok=True)
    for name, (model, _) in WRONG.items():
        (folder / "wrong" / f"{name}.tflite").write_bytes(model)


def junit(host: Host, models: Path) -> str:
    """Runs TflbnnDelegateTest; its report, where a test failed or the JVM died."""
    done = host.java(
        java_classpath(),
        *(f"-Dmodels={models}", "org.junit.runner.JUnitCore", "org.tflbnn.delegate.TflbnnDelegateTest"),
    )
    return (
        ""
        if done.returncode == 0 and "\nOK (" in done.stdout
        else f"{done.returncode}\n{done.stdout[-6000:]}{done.stderr[-6000:]}"
    )


def predict(host: Host, model: Path, samples: np.ndarray, folder: Path, **properties: object) -> tuple[np.ndarray, str]:
    """All outputs of each sample in a row, and what the program printed."""
    samples.astype(np.float32).tofile(folder / "samples")
    options = [f"-D{key}={value}" for key, value in properties.items()]
    arguments = (model, folder / "samples", folder / "outputs")
    done = host.java(java_classpath(), *options, "org.tflbnn.delegate.Predict", *arguments, extra=str(OUT))
    if done.returncode:
        sys.exit(f"{model.name}: {done.stdout}{done.stderr}")
    return np.fromfile(folder / "outputs", np.float32).reshape(len(samples), -1), done.stdout
