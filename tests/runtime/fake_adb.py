"""Answers as Android's adb does, with the folder FAKE_ROOT for the phone. FAKE_PHONES has lines of SERIAL and STATE.

Written after adb 1.0.41 (platform tools 34): the list of devices, messages and exit codes, and that the shell's exit
code is that of its last command. Programs in the folder run as they are, or through FAKE_LOADER.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROPERTIES = {
    "ro.product.manufacturer": "Google",
    "ro.product.model": "Pixel 7",
    "ro.soc.model": "GS201",
    "ro.build.version.release": "15",
    "ro.product.cpu.abilist": os.environ.get("FAKE_ABIS", "arm64-v8a,armeabi-v7a,armeabi"),
}
TEMPORARY = "/data/local/tmp"


def fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1


def main(arguments: list[str]) -> int:
    phones = [line.split(" ", 1) for line in os.environ.get("FAKE_PHONES", "").splitlines()]
    root = Path(os.environ["FAKE_ROOT"])
    if arguments == ["devices"]:
        print("* daemon not running; starting now at tcp:5037", "* daemon started successfully", sep="\n")
        print("List of devices attached", *("\t".join(phone) for phone in phones), "", sep="\n")
        return 0
    assert arguments[0] == "-s", arguments
    serial, command, rest = arguments[1], arguments[2], arguments[3:]
    state = dict(phones).get(serial)
    if state is None:
        return fail(f"adb: device '{serial}' not found")
    if state != "device":
        return fail(f"adb: device {state}")
    if command == "push":
        source, target = Path(rest[0]), root / rest[1].lstrip("/")
        if not source.exists():
            return fail(f"adb: error: cannot stat '{source}': No such file or directory")
        if not target.parent.is_dir():
            reason = "remote couldn't create file: No such file or directory"
            return fail(f"adb: error: failed to copy '{source}' to '{rest[1]}': {reason}")
        shutil.copyfile(source, target)
        print(
            f"{source}: 1 file pushed, 0 skipped. 35.2 MB/s ({source.stat().st_size} bytes in 0.012s)", file=sys.stderr
        )
        return 0
    assert command == "shell", arguments
    (line,) = rest
    with open(root / "log", "a") as log:
        log.write(line + "\n")
    if line.startswith("getprop "):
        print(PROPERTIES.get(line.removeprefix("getprop "), ""))
        return 0
    line = line.replace(TEMPORARY, str(root / TEMPORARY.lstrip("/")))
    if loader := os.environ.get("FAKE_LOADER"):  # for programs of Android's
        line = line.replace("LD_LIBRARY_PATH=. ./", f"{loader} ./")
    return subprocess.run(["sh", "-c", line]).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
