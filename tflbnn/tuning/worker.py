"""A worker of a search: takes trials from the chief, trains them, reports. Its process is `python -m` this module."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tflbnn.errors import UserError
from tflbnn.tuning.channel import Client

PROJECT = "trials"
ALIVE = 5.0  # seconds between two signs of life
WAIT = 0.25  # before asking again for a trial
STEPS = 0.2  # seconds between two reports of progress


def work(
    name: str,
    address: str,
    out: str | os.PathLike[str],
    data_dir: str | os.PathLike[str] | None,
    patience: float = 60.0,
) -> int:
    """Trains trials until the chief says stop; gives how many.

    Args:
        name: of this worker, its own among all.
        address: the chief's, host:port.
        out: the search folder; on another machine the same folder on a shared file system, or one of its own: then
            only tuners whose trials do not continue each other's can be used.
        data_dir: where the data set's files may be.
        patience: seconds to wait for a chief that does not answer.

    Raises:
        UserError: the chief does not answer, or the data are missing.
    """
    client = Client(address, patience)
    hello = client.send("hello", worker=name)
    with _signs_of_life(client, name):
        trials = _Trials(client, name, Path(out), data_dir, hello)
        done = 0
        while True:
            reply = client.send("next", worker=name)
            if reply["do"] == "stop":
                return done
            if reply["do"] == "wait":
                time.sleep(WAIT)
                continue
            trials.train(reply)
            done += 1


class _Trials:
    """Trains trials with the settings that the chief told."""

    def __init__(
        self, client: Client, name: str, out: Path, data_dir: str | os.PathLike[str] | None, hello: dict[str, Any]
    ) -> None:
        from tflbnn import data
        from tflbnn.tuning import latency
        from tflbnn.tuning.latency_table import LatencyTable
        from tflbnn.tuning.settings import Settings
        from tflbnn.tuning.trial import Trainer

        self.client, self.name, self.out = client, name, out
        self.settings, self.longest = Settings.from_dict(hello["settings"], "the chief"), hello["longest"]
        clock = None
        if self.settings.needs_latency:
            table = LatencyTable(hello["table"]) if hello["table"] else None
            latency.prepare(out, table)
            clock = latency.opened(out)
        self._told, self._trial = 0.0, ""
        dataset = data.load(self.settings.space.recipe.data, data_dir)
        self.trainer = Trainer(dataset, self.settings.constraints, clock, self._trained)

    def train(self, task: dict[str, Any]) -> None:
        """Trains the trial that the chief gave and reports what came of it."""
        from tflbnn.tuning import drawn
        from tflbnn.tuning.trial import AbortError, RejectedError, epochs_of

        self._trial, values = task["trial"], task["values"]
        metrics: dict[str, float] = {}
        message = None
        try:
            recipe = self.settings.space.variant(drawn.values(self.settings.space, values))
            earlier = values.get("tuner/trial_id")
            metrics = self.trainer.run(
                recipe.replace("epochs", self.longest),
                *epochs_of(values, self.longest),
                self._folder(self._trial),
                None if earlier is None else self._folder(earlier),
            )
        except AbortError as error:
            self.client.send("abort", worker=self.name, message=str(error.__cause__))
            raise error.__cause__ from None
        except RejectedError as error:
            metrics, message = error.costs, traceback.format_exc()
        except _failures():
            message = traceback.format_exc()
        self.client.send("end", worker=self.name, trial=self._trial, metrics=metrics, message=message)

    def _folder(self, trial: str) -> Path:
        return self.out / PROJECT / f"trial_{trial}"

    def _trained(self, state: Any) -> None:
        now = time.monotonic()
        if state.done or now - self._told > STEPS:
            self._told = now
            self.client.send("progress", worker=self.name, trial=self._trial, state=dataclasses.asdict(state))


def _failures() -> tuple[type[Exception], ...]:
    """What a network or its training may raise: recorded with the trial."""
    from tflbnn._keras import tf

    errors = (ArithmeticError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
    return (UserError, tf.errors.OpError, *errors)


@contextlib.contextmanager
def _signs_of_life(client: Client, name: str) -> Iterator[None]:
    """Tells the chief every few seconds that this worker lives, also while a step takes long."""
    ended = threading.Event()

    def tell() -> None:
        while not ended.wait(ALIVE):
            with contextlib.suppress(UserError):  # the next message of the trial itself tells
                client.send("alive", worker=name)

    threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _end_with(parent: int) -> None:
    """Ends this process at once when its parent has ended, however that was."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """The process that a chief starts."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the chief's affair
    arguments = json.loads(sys.argv[1])
    _end_with(arguments.pop("parent"))
    try:
        work(**arguments)
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
