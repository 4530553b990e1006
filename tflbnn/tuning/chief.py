"""The chief of a search with workers: it asks the oracle, hands out trials, and keeps them from getting lost."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tflbnn import training
from tflbnn.errors import UserError
from tflbnn.tuning import channel
from tflbnn.tuning.channel import Message
from tflbnn.tuning.latency import TABLE
from tflbnn.tuning.latency_table import LatencyTable
from tflbnn.tuning.processes import Workers
from tflbnn.tuning.tuner import RecipeTuner, TrialStatus, register

TRIES = 3  # of a trial whose workers are lost
SILENCE = 60.0  # seconds without a sign of a worker elsewhere, after which it counts as lost
PAUSE = 0.05


def is_remote() -> bool:
    """Whether the environment makes this process the chief of workers elsewhere."""
    found = channel.role()
    return found is not None and found.is_chief


def serve(tuner: RecipeTuner, workers: int, data_dir: str | os.PathLike[str] | None) -> None:
    """Searches with so many workers of this machine, and with those elsewhere where the environment says so.

    Raises:
        UserError: workers cannot start, or one of them found that files cannot be written.
    """
    found = channel.role()
    chief = Chief(tuner)
    server = channel.Server(chief.answer, found.address if found else f"{channel.LOOPBACK}:0")
    out = Path(tuner.directory)
    try:
        with Workers(workers, server.address, out, data_dir) as processes:
            while not chief.finished.is_set():
                chief.check_silence(processes.names)
                for name in processes.dead():
                    chief.lose(name)
                    processes.restart(name, had_trials=name in chief.had_trials)
                chief.finished.wait(PAUSE)
        if chief.error:
            raise UserError(chief.error)
    finally:
        server.close()


class Chief:
    """Answers workers. `finished` is set when the search is over; `error` says why where it had to be stopped."""

    def __init__(self, tuner: RecipeTuner) -> None:
        self.tuner, self.oracle = tuner, tuner.oracle
        self.finished, self.error = threading.Event(), ""
        self.had_trials: set[str] = set()
        self._losses: Counter[str] = Counter()
        self._seen: dict[str, float] = {}
        self._checked = time.monotonic()
        self._lock = threading.RLock()
        self._methods = {
            "hello": self._hello,
            "next": self._next,
            "alive": lambda worker, request: {},
            "progress": self._progress,
            "end": self._end,
            "abort": self._abort,
        }

    def answer(self, request: Message) -> Message:
        """The reply to a worker's message."""
        worker = str(request["worker"])
        with self._lock:
            self._seen[worker] = time.monotonic()
            return self._methods[request["method"]](worker, request)

    def _hello(self, worker: str, request: Message) -> Message:
        table = Path(self.tuner.directory) / TABLE
        return {
            "settings": self.tuner.settings.to_dict(),
            "longest": self.tuner.longest,
            "table": dict(LatencyTable.read(table).ms) if table.exists() else None,
        }

    def _next(self, worker: str, request: Message) -> Message:
        if self.finished.is_set():
            return {"do": "stop"}
        trial = self.oracle.create_trial(worker)
        if trial.status == TrialStatus.STOPPED and not self.oracle.ongoing_trials:
            self.finished.set()
            return {"do": "stop"}
        if trial.status != TrialStatus.RUNNING:
            return {"do": "wait"}  # a trial under way may be lost, and is tried again by who waits
        self.had_trials.add(worker)
        self.tuner.on_trial_begin(trial)
        return {
            "do": "train",
            "trial": trial.trial_id,
            "number": self.tuner.number(trial.trial_id),
            "values": trial.hyperparameters.values,
        }

    def _running(self, worker: str, request: Message) -> Any:
        """The worker's trial if it is the one that it reports of; it may have been given to another meanwhile."""
        trial = self.oracle.ongoing_trials.get(worker)
        return trial if trial is not None and trial.trial_id == request["trial"] else None

    def _progress(self, worker: str, request: Message) -> Message:
        trial = self._running(worker, request)
        if trial is not None:
            state = training.Progress(**request["state"])
            self.tuner.progress.worker_trained(worker, self.tuner.number(trial.trial_id), state)
        return {}

    def _end(self, worker: str, request: Message) -> Message:
        trial = self._running(worker, request)
        if trial is None:
            return {}
        if request["message"] is None:
            self.oracle.update_trial(trial.trial_id, request["metrics"])
            trial.status = TrialStatus.COMPLETED
        else:
            register(trial, request["metrics"])
            trial.status, trial.message = TrialStatus.INVALID, request["message"]
        self._close(trial)
        return {}

    def _close(self, trial: Any) -> None:
        self.oracle.end_trial(trial)
        self.tuner.save()
        self.tuner.tell_ended(trial.trial_id)

    def _abort(self, worker: str, request: Message) -> Message:
        self.error = request["message"]
        self.finished.set()
        return {}

    def lose(self, worker: str) -> None:
        """Gives a lost worker's trial to another, or records it as failed where that has been tried enough."""
        with self._lock:
            self._seen.pop(worker, None)
            trial = self.oracle.ongoing_trials.get(worker)
            if trial is None:
                return
            self._losses[trial.trial_id] += 1
            self.tuner.progress.worker_trained(worker, self.tuner.number(trial.trial_id), None)
            if self._losses[trial.trial_id] < TRIES:
                del self.oracle.ongoing_trials[worker]
                self.oracle._retry_queue.append(trial.trial_id)
                self.oracle.save()
                return
            trial.status = TrialStatus.INVALID
            trial.message = (
                "Traceback (most recent call last):\n"
                f"UserError: Its worker was lost {TRIES} times, killed by the system or for want of memory."
            )
            self._close(trial)

    def check_silence(self, here: tuple[str, ...]) -> None:
        """Loses workers elsewhere that have not been heard of; those of this machine are watched as processes."""
        now = time.monotonic()
        with self._lock:
            if now - self._checked > SILENCE / 4:  # this process itself was stopped for a while
                self._seen = dict.fromkeys(self._seen, now)
            self._checked = now
            silent = [name for name, seen in self._seen.items() if name not in here and now - seen > SILENCE]
        for name in silent:
            self.lose(name)
