"""The C++ example in delegate/examples, built and run with TFLite's C API (make test-capi).

The API's library comes from Maven Central (org.bytedeco:tensorflow-lite, for Linux on x86-64), its headers, too
(org.tensorflow:tensorflow-lite); Maven keeps both in ~/.m2.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.delegate.build import ROOT, build, cmake
from tests.delegate.networks import CHANNELS, SIZE, chain

LIBRARY = ("org.bytedeco", "tensorflow-lite", "2.18.0-1.5.11", "jar", "linux-x86_64")
HEADERS = ("org.tensorflow", "tensorflow-lite", "2.16.1", "aar", "")
# Headers that the others include but the archive leaves out, with what the others need of them.
LEFT_OUT = {
    "core/async/c/types.h": "",
    "core/c/registration_external.h": "typedef struct TfLiteRegistrationExternal TfLiteRegistrationExternal;\n",
}


def fetch(artifact: tuple[str, ...], folder: Path) -> Path:
    """The artifact's file, copied into the folder by Maven."""
    name = ":".join(artifact).rstrip(":")
    command = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={name}", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Maven cannot fetch {name}:\n{done.stdout}{done.stderr}")
    (file,) = folder.glob(f"{artifact[1]}-{artifact[2]}*.{artifact[3]}")
    return file


def extract(archive: Path, part: str, folder: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            if part in name:
                files.extract(name, folder)


def build_example(work: Path) -> Path:
    """The program, from an installed delegate as any other project would build it."""
    extract(fetch(LIBRARY, work), ".so", work / "library")
    extract(fetch(HEADERS, work), "headers/tensorflow", work)
    for name, text in LEFT_OUT.items():
        header = work / "headers" / "tensorflow" / "lite" / name
        header.parent.mkdir(parents=True, exist_ok=True)
        header.write_text(text)
    (library,) = (work / "library").rglob("libjnitensorflowlite.so")  # it exports the C API, too
    cmake("--install", build("tests", targets=("tflbnn_delegate",)), "--prefix", work / "installed")
    settings = {
        "CMAKE_PREFIX_PATH": work / "installed",
        "TFLITE_INCLUDE": work / "headers",
        "TFLITE_LIBRARY": library,
    }
    options = [f"-D{key}={value}" for key, value in settings.items()]
    cmake("-S", ROOT / "delegate" / "examples", "-B", work / "build", *options)
    cmake("--build", work / "build")
    return work / "build" / "run_model"


def check(program: Path, work: Path) -> None:
    network = chain()
    (work / "chain.tflite").write_bytes(network.model)
    (work / "x.raw").write_bytes(b"wrong")
    run = [program, "--raw", work / "y.raw", work / "chain.tflite"]
    x = np.random.default_rng(0).standard_normal((1, SIZE, SIZE, CHANNELS)).astype(np.float32)
    for value, arguments in ((np.zeros_like(x), []), (x, [work / "x.raw"])):
        if arguments:
            failed = subprocess.run([*run, *arguments], capture_output=True, text=True)
            assert failed.returncode == 1, failed
            assert "bytes of the first input. Received: 5" in failed.stderr, failed.stderr
            x.tofile(arguments[0])
        subprocess.run([*run, *arguments], check=True)
        wanted = network(value)
        np.testing.assert_array_equal(np.fromfile(work / "y.raw", np.float32).reshape(wanted.shape), wanted)
    for content, message in ((b"no model", "cannot load the model"), (None, "cannot load the model")):
        wrong = work / "wrong.tflite"
        wrong.write_bytes(content) if content else wrong.unlink()
        failed = subprocess.run([program, wrong], capture_output=True, text=True)
        assert failed.returncode == 1, failed
        assert message in failed.stderr, failed.stderr


def main() -> int:
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.exit(f"The C API's library is for Linux on x86-64. Received: {sys.platform} on {platform.machine()}.")
    if not shutil.which("mvn"):
        sys.exit("This needs mvn. Install it (Debian: apt-get install maven).")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        check(build_example(work), work)
    print("ok: the example gives what the network must give")
    return 0


if __name__ == "__main__":
    sys.exit(main())
