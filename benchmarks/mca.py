"""What llvm-mca expects of the NEON kernel's inner loop, without a processor to try it on (make benchmark-mca).

Compiles the kernel with Debian's cross compiler, cuts the loop out of the assembly and lets LLVM's models of some
processors run it from the first cache. Estimates: no cache misses, no start and end of a sum, and the models have
faults of their own. LLVM 19 has no models of the Cortex-A76 and the X1 and takes the A57's for both; Neoverse N1 and
V1 are the same cores for servers and have theirs.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import results

KERNEL = results.ROOT / "delegate" / "core" / "bconv2d" / "arm64_neon.cc"
COMPILER = "aarch64-linux-gnu-g++"
FLAGS = ("-std=c++17", "-O3", "-fPIC", "-ffp-contract=off", "-fno-exceptions", f"-I{results.ROOT}/delegate")

# Products of signs in a turn of the loop: 32 input channels, 32 output channels, 2 pixels.
MACS = 32 * 32 * 2
ITERATIONS = 1000
# Processor: (vector instructions a cycle of 128 bits, the model LLVM 19 uses, the phones' core of that class).
PROCESSORS = {
    "neoverse-n1": (2, "its own", "Cortex-A76"),
    "cortex-a76": (2, "cortex-a57", ""),
    "neoverse-v1": (4, "its own", "Cortex-X1"),
    "cortex-a55": (1, "its own", "Cortex-A55"),
}


def find_mca() -> str | None:
    """llvm-mca 19, or the newest there is."""
    names = ("llvm-mca-19", "llvm-mca-21", "llvm-mca-20", "llvm-mca")
    return next((name for name in names if shutil.which(name)), None)


def inner_loop() -> str:
    """The instructions between the kernel's labels 1 and the branch back to it, without the way to the next tap."""
    with tempfile.TemporaryDirectory() as folder:
        assembly = Path(folder) / "kernel.s"
        subprocess.run([COMPILER, *FLAGS, "-S", KERNEL, "-o", assembly], check=True)
        text = assembly.read_text()
    loop = re.search(r"^1:\n(.*?^\s*b\.ne) 1b$", text, re.MULTILINE | re.DOTALL)
    if loop is None:
        raise SystemExit(f"{KERNEL} has no loop between the label 1 and b.ne 1b")
    lines = [line for line in loop[1].splitlines() if line.strip() and line.strip() not in ("2:", "b.eq 3f")]
    return "\n".join([".L:", *lines]) + " .L\n"


def cycles(mca: str, loop: str, processor: str) -> float:
    """Of a turn."""
    command = [mca, "-mtriple=aarch64-linux-gnu", f"-mcpu={processor}", f"-iterations={ITERATIONS}"]
    report = subprocess.run(command, input=loop, capture_output=True, text=True, check=True).stdout
    total = re.search(r"^Total Cycles:\s+(\d+)", report, re.MULTILINE)
    if total is None:
        raise SystemExit(f"{mca} gave no cycles for {processor}")
    return int(total[1]) / ITERATIONS


def main() -> int:
    mca = find_mca()
    for tool, package in ((mca, "llvm-19"), (shutil.which(COMPILER), "g++-aarch64-linux-gnu")):
        if tool is None:
            print(f"This needs the package {package}. Install it (Debian: apt-get install {package})", file=sys.stderr)
            return 2
    loop = inner_loop()
    version = re.search(
        r"LLVM version (\S+)", subprocess.run([mca, "--version"], capture_output=True, text=True).stdout
    )
    rows = []
    for processor, (pipes, model, phone) in PROCESSORS.items():
        # Exclusive or, population count and addition for each 128 products.
        bound = 128 * pipes / 3
        turn = cycles(mca, loop, processor)
        expected = MACS / turn
        rows.append(
            {
                "kind": "estimate",
                "processor": processor,
                "model": model,
                "in_phones": phone,
                "cycles_a_turn": f"{turn:.1f}",
                "mac_per_cycle": f"{expected:.1f}",
                "bound": f"{bound:.1f}",
                "share_of_bound": f"{expected / bound:.2f}",
                "tool": f"llvm-mca {version[1] if version else '?'}",
            }
        )
        print(f"{processor:<12} {expected:6.1f} MAC/cycle of {bound:.1f} (estimate)")
    results.write("mca", [row | results.provenance(0) for row in rows])
    return 0


if __name__ == "__main__":
    sys.exit(main())
