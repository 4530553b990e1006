"""libFuzzer on the delegate in a small interpreter of our own (make test-fuzz, FUZZ_RUNS=1000000 for more).

Needs clang and its runtime library. The corpus stays in build/, so that a later run begins where this one ended;
an input that fails is written there, too, and `tflbnn_fuzzer FILE` runs it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.delegate.build import build

COMPILERS = ("clang++", "clang++-19", "clang++-18", "clang++-17", "clang++-16", "clang++-15", "clang++-14")
SANITIZERS = "address,undefined,fuzzer-no-link"
SEEDS = 300
MOST_BYTES = 512  # of an input: about a dozen nodes
SEED = os.environ.get("FUZZ_SEED", "1")  # the same inputs every time; 0: others
LONGEST_SECONDS = 60  # for one input: beyond, it hangs


def find_compiler() -> str | None:
    """A clang that can link libFuzzer."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "try.cc"
        source.write_text('extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n')
        for compiler in COMPILERS:
            command = [compiler, "-fsanitize=fuzzer,address", source, "-o", Path(folder) / "try"]
            if shutil.which(compiler) and subprocess.run(command, capture_output=True).returncode == 0:
                return compiler
    return None


def main(runs: int) -> int:
    compiler = find_compiler()
    if compiler is None:
        print(
            "Fuzzing needs clang with libFuzzer. Received: no clang that links it on the PATH. "
            "Install one (Debian: apt-get install clang-19 libclang-rt-19-dev)",
            file=sys.stderr,
        )
        return 2
    folder = build(
        "fuzz",
        f"-DCMAKE_CXX_COMPILER={compiler}",
        f"-DTFLBNN_SANITIZE={SANITIZERS}",
        "-DTFLBNN_WERROR=OFF",  # clang finds fault with GCC's standard library
        targets=("tflbnn_fuzzer", "tflbnn_seeds"),
    )
    seeds, corpus, failures = (folder / name for name in ("seeds", "corpus", "failures"))
    for path in (seeds, corpus, failures):
        path.mkdir(exist_ok=True)
    quiet = {"stderr": subprocess.DEVNULL}  # of the sizes that were too large
    if code := subprocess.run([folder / "tflbnn_seeds", seeds, str(SEEDS)], **quiet).returncode:
        return code
    command = [
        folder / "tflbnn_fuzzer",
        *(f"-runs={runs}", f"-seed={SEED}", f"-max_len={MOST_BYTES}", f"-timeout={LONGEST_SECONDS}"),
        *("-rss_limit_mb=8192", "-malloc_limit_mb=0", f"-artifact_prefix={failures}/"),
        *(corpus, seeds),
    ]
    log = folder / "fuzzer.log"
    print(f"== {runs} inputs, {folder.name}", flush=True)
    with log.open("w") as output:
        environment = {**os.environ, "TFLBNN_FUZZ_STATISTICS": "1"}
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment).returncode
    lines = log.read_text(errors="replace").splitlines()
    print("\n".join(lines[-60:] if code else lines[-1:]))
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
