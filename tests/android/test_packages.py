"""The AAR and the APK, as Android's own tools see them (make test-android)."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest

from android_demo.tools import aar, apk, archive, native
from android_demo.tools.app import aapt2
from android_demo.tools.common import run

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def built() -> Path:
    return apk.build()


def test_the_aar_has_what_gradle_and_the_ndk_look_for() -> None:
    with zipfile.ZipFile(aar.build()) as files:
        names = set(files.namelist())
        for abi in native.ABIS:
            assert f"jni/{abi}/libtflbnn_delegate.so" in names
            assert json.loads(files.read(f"prefab/modules/tflbnn/libs/android.{abi}/abi.json"))["abi"] == abi
        assert "prefab/modules/tflbnn/include/tflbnn_delegate.h" in names
        assert b'minSdkVersion="21"' in files.read("AndroidManifest.xml")
        assert b"TflbnnDelegate" in files.read("proguard.txt")
        classes = aar.CLASSES
        assert files.read("classes.jar") == classes.read_bytes()
    with zipfile.ZipFile(classes) as files:
        assert all(name.startswith("org/tflbnn/delegate/TflbnnDelegate") for name in files.namelist())


def test_the_apk_is_small_and_aligned(built: Path) -> None:
    assert built.stat().st_size < 6_000_000
    offsets = archive.offsets(built)
    libraries = {name: offset for name, offset in offsets.items() if name.endswith(".so")}
    assert {Path(name).name for name in libraries} == {"libtflbnn_delegate.so", "libtensorflowlite_jni.so"}
    assert all(offset % 16384 == 0 for offset in libraries.values())
    models = {name for name in offsets if name.endswith(".tflite")}
    assert len(models) >= 4
    assert all(offsets[name] % 4 == 0 for name in models)


def test_the_apk_is_signed(built: Path) -> None:
    said = run("apksigner", "verify", "--verbose", "--print-certs", built)
    assert "Verified using v2 scheme (APK Signature Scheme v2): true" in said
    assert "Verified using v3 scheme (APK Signature Scheme v3): true" in said
    assert "CN=Android Debug" in said


def test_the_manifest_is_what_a_phone_reads(built: Path) -> None:
    said = run(aapt2(), "dump", "badging", built)
    assert "package: name='org.tflbnn.demo' versionCode='" in said
    assert re.search(r"(sdkVersion|minSdkVersion):'24'", said)
    assert "targetSdkVersion:'35'" in said
    assert "native-code: 'arm64-v8a'" in said
    assert "launchable-activity: name='org.tflbnn.demo" in said
    assert "locales: '--_--' 'de'" in said or "'de'" in said


def test_the_classes_are_there_and_their_native_methods_keep_their_names(built: Path) -> None:
    if not shutil.which("dexdump"):
        pytest.skip("no dexdump (Debian: apt-get install dexdump)")
    said = run("dexdump", built)
    assert "Class descriptor  : 'Lorg/tflbnn/delegate/TflbnnDelegate;'" in said
    delegate = said[said.index("'Lorg/tflbnn/delegate/TflbnnDelegate;'") :]
    assert re.search(r"name\s+: 'create'\n\s+type\s+: '\(IZLjava/lang/String;\)J'", delegate)
    assert "'Lorg/tensorflow/lite/NativeInterpreterWrapper;'" in said
