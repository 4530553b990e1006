"""The worker processes of this machine: started, watched, started again, and gone when the search is over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tflbnn._files import readable_errors
from tflbnn.errors import UserError

FOLDER = "workers"  # of a search: what each one wrote to standard error
STARTS = 3  # without a trial between them, after which a worker cannot start


class Workers:
    """So many processes while the context lasts; they end with it, and with this process however it ends.

    Args:
        number: of workers.
        address: the chief's.
        out: the search folder.
        data_dir: where the data set's files may be.
    """

    def __init__(self, number: int, address: str, out: Path, data_dir: str | os.PathLike[str] | None) -> None:
        self.names = tuple(f"worker{index}" for index in range(1, number + 1))
        self._out = out
        self._arguments = {"address": address, "out": str(out), "data_dir": None if data_dir is None else str(data_dir)}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._starts: Counter[str] = Counter()

    def __enter__(self) -> Workers:
        for name in self.names:
            self._start(name)
        return self

    def __exit__(self, *raised: object) -> None:
        for process in self._processes.values():
            process.kill()
        for process in self._processes.values():
            process.wait()

    def dead(self) -> list[str]:
        """The workers whose process has ended."""
        return [name for name, process in self._processes.items() if process.poll() is not None]

    def restart(self, name: str, had_trials: bool) -> None:
        """Starts a worker again.

        Raises:
            UserError: it ends every time before it takes a trial.
        """
        if not had_trials and self._starts[name] >= STARTS:
            raise UserError(
                f"A worker must be able to start. Received: {name}, which ended {STARTS} times before its first trial: "
                f"{self._last_words(name)}"
            )
        self._start(name)

    def _start(self, name: str) -> None:
        self._starts[name] += 1
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        share = str(max(1, cores // len(self.names)))
        environment = {"TF_NUM_INTRAOP_THREADS": share, "TF_NUM_INTEROP_THREADS": "1", **os.environ}
        arguments = json.dumps({**self._arguments, "name": name, "parent": os.getpid()})
        log = self._out / FOLDER / f"{name}.log"
        with readable_errors("start a worker, which writes", log):
            log.parent.mkdir(exist_ok=True)
            with open(log, "wb") as errors:
                self._processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "tflbnn.tuning.worker", arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=errors,
                    stderr=errors,
                    env=environment,
                )

    def _last_words(self, name: str) -> str:
        lines = (self._out / FOLDER / f"{name}.log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][:300] if lines else f"exit code {self._processes[name].returncode}"
