"""Builds the app without an SDK: build/android/tflbnn-demo.apk, signed with a debug key made on the spot (make apk).

    python -m android_demo.tools.apk [ABI...]      (arm64-v8a when left out)

Gradle builds the same sources with an SDK and an NDK; for a release, use that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import zipfile
from pathlib import Path

from android_demo.tools import archive, demo_models, native
from android_demo.tools.aar import DELEGATE
from android_demo.tools.app import OUT, SOURCE, CompiledApp, compile_app
from android_demo.tools.common import BUILD, CACHE, MIN_SDK, PAGE, BuildError, main, require, run, up_to_date
from android_demo.tools.maven import classpath, fetch, jars, unpack

APK = BUILD / "tflbnn-demo.apk"
STORED = (".so", ".arsc", ".tflite", ".png")  # what Android maps, or what is compressed already
RULES = SOURCE.parents[1] / "proguard-rules.pro"


def shrink(app: CompiledApp) -> Path:
    """classes.dex: the app, the delegate, TensorFlow Lite and Kotlin's library, less what is never called."""
    folder = OUT / "dex"
    inputs = [app.classes, BUILD / "delegate" / "classes.jar", *jars("tflite", "kotlin")]
    consumer = [DELEGATE / "consumer-rules.pro", *(unpack(path, "proguard.txt") for path in fetch("tflite"))]
    rules = [app.rules, *consumer, *([RULES] if RULES.exists() else [])]
    if up_to_date(folder / "classes.dex", [*inputs, *rules]):
        return folder / "classes.dex"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    configuration = [part for path in rules for part in ("--pg-conf", path)]
    (android,) = fetch("android")
    run(
        *("java", "-Xmx1g", "-cp", classpath("r8"), "com.android.tools.r8.R8", "--release", "--min-api", str(MIN_SDK)),
        *("--lib", android, "--lib", native.java_home()),  # which has what android.jar holds of java.*
        *(*configuration, "--pg-map-output", OUT / "mapping.txt", "--output", folder, *inputs),
    )
    return folder / "classes.dex"


def assemble(app: CompiledApp, abis: tuple[str, ...]) -> Path:
    """The unsigned archive."""
    with zipfile.ZipFile(app.resources) as resources:
        members = {name: resources.read(name) for name in resources.namelist()}
    members["classes.dex"] = shrink(app).read_bytes()
    for abi, delegate in native.build_all(abis).items():
        for library in (delegate, native.stock_library(abi)):
            members[f"lib/{abi}/{library.name}"] = library.read_bytes()
    unsigned = OUT / "unsigned.apk"
    archive.write_zip(unsigned, members, STORED)
    return unsigned


def debug_key() -> Path:
    """A key of this user's, as Android Studio makes one: an update is accepted only with the key of what it updates."""
    keystore = CACHE / "debug.keystore"
    if not keystore.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        run(
            *(require("keytool", "openjdk-17-jdk-headless"), "-genkeypair", "-keystore", keystore),
            *("-storetype", "PKCS12", "-storepass", "android", "-alias", "androiddebugkey"),
            *("-keyalg", "RSA", "-keysize", "2048", "-validity", "10000", "-dname", "CN=Android Debug,O=Android,C=US"),
        )
    return keystore


def sign(unsigned: Path) -> Path:
    """With the schemes v2 and v3; v1 is for versions of Android that the app does not run on."""
    schemes = ("--v1-signing-enabled", "false", "--v2-signing-enabled", "true", "--v3-signing-enabled", "true")
    fresh = APK.with_suffix(".new")
    run(
        *(require("apksigner", "apksigner"), "sign", "--ks", debug_key(), "--ks-pass", "pass:android", *schemes),
        *("--min-sdk-version", str(MIN_SDK), "--out", fresh, unsigned),
    )
    if moved := [name for name, offset in archive.offsets(fresh).items() if name.endswith(".so") and offset % PAGE]:
        raise BuildError(f"Libraries must begin at multiples of {PAGE} within the APK. Received: {', '.join(moved)}")
    fresh.replace(APK)
    return APK


def build(abis: tuple[str, ...] = ("arm64-v8a",)) -> Path:
    require("apksigner", "apksigner")  # before minutes of work
    demo_models.ensure()
    return sign(assemble(compile_app(), abis))


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("abis", nargs="*", metavar="ABI", help=f"of {', '.join(native.ABIS)}")
    abis = native.checked(parser.parse_args().abis) or ("arm64-v8a",)
    path = build(abis)
    print(f"{os.path.relpath(path)}  {path.stat().st_size / 1e6:.2f} MB  ({', '.join(abis)})")


if __name__ == "__main__":
    main(_main)
