"""Measuring a model on a phone that is connected by USB or network, through Android's adb.

What runs there is a small program with stock TensorFlow Lite and the delegate, which android_demo builds. It is copied
to a folder of its own below /data/local/tmp, which needs no root and no app, and removed afterwards.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shlex
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tflbnn.errors import UserError
from tflbnn.runtime.benchmark import Timing

PROGRAM = "tflbnn_benchmark"
LIBRARIES = ("libtflbnn_delegate.so", "libtensorflowlite_jni.so")
# Where android_demo's build puts them, a folder for each ABI.
PROGRAMS = Path(__file__).resolve().parents[2] / "build" / "android" / "native"
RUNS = 10  # of one start of the program
TIMEOUT = 600  # seconds that one call of adb may take


@dataclasses.dataclass(frozen=True)
class Measurement:
    """One model, with or without the delegate, on a phone."""

    kernel: str | None
    timing: Timing
    peak_memory_bytes: int


def _adb(*arguments: str) -> str:
    """What adb prints.

    Raises:
        UserError: there is no adb, or it fails.
    """
    program = shutil.which("adb")
    if program is None:
        raise UserError(
            "Measuring on a phone needs adb, which is not on the PATH. Install Android's platform tools "
            "(Debian: apt-get install adb)"
        )
    try:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"adb {arguments[-1]}: no answer within {TIMEOUT} seconds. Is the phone awake?") from error
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise UserError(f"adb failed: {said}")
    return done.stdout


def connected() -> dict[str, str]:
    """The serial numbers of what adb sees, each with its state: "device" for one that can be used."""
    phones = {}
    for line in _adb("devices").splitlines():
        serial, tab, state = line.strip().partition("\t")
        if tab and not line.startswith("*"):  # lines with * tell of adb's own start
            phones[serial] = state
    return phones


def choose(serial: str | None = None) -> str:
    """The serial number of the phone to measure on.

    Raises:
        UserError: no phone, one that cannot be used, or several and none was named.
    """
    phones = connected()
    if serial is None and len(phones) > 1:
        raise UserError(f"Several phones are connected. Received: {', '.join(phones)}. Choose one: --device SERIAL")
    if not phones or (serial is not None and serial not in phones):
        wanted = f" with the serial number {serial}" if serial else ""
        raise UserError(
            f"adb must see a phone{wanted}. Received: {', '.join(phones) or 'none'}. Connect it and switch on USB "
            "debugging in its developer options"
        )
    serial = serial or next(iter(phones))
    state = phones[serial]
    if state.startswith("unauthorized"):
        raise UserError(f"The phone {serial} does not trust this computer. Unlock it and allow USB debugging")
    if state != "device":
        raise UserError(f"The phone {serial} must be ready. Received: {state}. Connect it again, or run: adb reconnect")
    return serial


class Phone:
    """A phone with a model on it; use `open_phone`."""

    def __init__(self, serial: str, abi: str, folder: str):
        self.serial, self.abi, self.folder = serial, abi, folder

    def shell(self, command: str) -> str:
        return _adb("-s", self.serial, "shell", command).replace("\r", "")

    def push(self, path: Path, name: str) -> None:
        _adb("-s", self.serial, "push", str(path), f"{self.folder}/{name}")

    def description(self) -> str:
        """Maker, model, processor and Android version, as far as the phone tells."""
        names = ("ro.product.manufacturer", "ro.product.model", "ro.soc.model", "ro.build.version.release")
        maker, model, processor, version = (self.shell(f"getprop {name}").strip() for name in names)
        return ", ".join(filter(None, [f"{maker} {model}".strip(), processor, f"Android {version}" if version else ""]))

    def run(self, name: str, threads: int, delegate: bool) -> dict[str, object]:
        """One start of the program: the milliseconds of RUNS inferences, the kernel, the memory.

        Raises:
            UserError: the model does not run there.
        """
        arguments = [f"./{PROGRAM}", name, str(threads), str(RUNS), "yes" if delegate else "no"]
        command = f"cd {self.folder} && LD_LIBRARY_PATH=. {shlex.join(arguments)} 2>&1; echo exit code $?"
        output = self.shell(command).strip().splitlines()
        try:
            result = json.loads(output[-2])
        except (IndexError, json.JSONDecodeError) as error:
            raise UserError(
                f"{name}: the program for measuring failed on the phone: {' '.join(output[-2:])}"
            ) from error
        if "error" in result:
            raise UserError(f"{name}: {result['error']}")
        return result


def programs(abis: Sequence[str]) -> tuple[str, Path]:
    """The first of a phone's ABIs that was built for, and the folder with the program and its libraries.

    Raises:
        UserError: nothing was built for it.
    """
    for abi in abis:
        folder = PROGRAMS / abi
        if all((folder / name).is_file() for name in (PROGRAM, *LIBRARIES)):
            return abi, folder
    raise UserError(
        f"Measuring on a phone needs the program for its processor ({', '.join(abis)}). Received: none in {PROGRAMS}. "
        f'In a source tree run: make apk ABIS="{abis[0] if abis else "arm64-v8a"}"'
    )


@contextlib.contextmanager
def open_phone(serial: str | None = None) -> Iterator[Phone]:
    """A phone with the program for measuring on it, removed at the end."""
    phone = Phone(choose(serial), "", f"/data/local/tmp/tflbnn-{uuid.uuid4().hex[:12]}")
    abis = phone.shell("getprop ro.product.cpu.abilist").strip()
    phone.abi, folder = programs(abis.split(",") if abis else [])
    phone.shell(f"mkdir {phone.folder}")
    try:
        for name in (PROGRAM, *LIBRARIES):
            phone.push(folder / name, name)
        phone.shell(f"chmod 755 {phone.folder}/{PROGRAM}")
        yield phone
    finally:
        with contextlib.suppress(UserError):  # the phone may be gone, which the error under way tells
            phone.shell(f"rm -rf {phone.folder}")


def measure(
    phone: Phone,
    variants: Sequence[tuple[str | os.PathLike[str], bool]],
    threads: int = 1,
    rounds: int = 20,
    progress: Callable[[int], None] | None = None,
) -> list[Measurement]:
    """Measures models in turn, each with the delegate or without; every round starts each of them once.

    Args:
        phone: from `open_phone`.
        variants: files, and whether the delegate runs their binary operators.
        threads: threads of an inference.
        rounds: how often to go through all of them, with RUNS measured inferences each.
        progress: called with the number of finished rounds.

    Raises:
        UserError: a model does not run on the phone.
    """
    names = {os.fspath(path): f"{index}.tflite" for index, (path, _) in enumerate(variants)}
    for path, name in names.items():
        phone.push(Path(path), name)
    results: list[list[dict]] = [[] for _ in variants]
    for done in range(1, rounds + 1):
        for collected, (path, delegate) in zip(results, variants, strict=True):
            collected.append(phone.run(names[os.fspath(path)], threads, delegate))
        if progress is not None:
            progress(done)
    return [
        Measurement(
            collected[0]["kernel"] or None,
            Timing.of([np.divide(result["milliseconds"], 1e3).tolist() for result in collected]),
            int(np.median([result["peak_memory_bytes"] for result in collected])),
        )
        for collected in results
    ]
