"""Searches with worker processes that the system kills."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.tuning.test_training import SMALL
from tflbnn.tuning import Progress, Settings, parse_space, search

SPACE = parse_space(SMALL, ["t_clip=0.25..2.0", "growth_rate=4,8"])
SCRIPT = """
import json, sys
from tflbnn.recipes import Recipe
from tflbnn.tuning import Settings, search
settings, out, resume = json.loads(sys.argv[1])
found = search(Settings.from_dict(settings, "here"), out, workers=2, resume=resume)
print(json.dumps([row.trial for row in found.rows]))
"""


def children(pid):
    """The processes that a process has started."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, task.read_text().split())
    return found


def test_a_killed_worker_s_trial_is_tried_again_and_nothing_stays(tmp_path):
    killed, lost = [], []
    others = set(children(os.getpid()))  # of tests before

    class Killer(Progress):
        def worker_trained(self, worker, number, state):
            if state is None:
                lost.append(number)
            elif not killed:
                killed.append(number)
                (child,) = set(children(os.getpid())) - others
                os.kill(child, signal.SIGKILL)

    settings = Settings(SPACE, "random", trials=3, objectives=("accuracy", "size"), baselines=False)
    found = search(settings, tmp_path / "s", workers=1, progress=Killer())
    assert lost == killed
    assert [(row.trial, row.status) for row in found.rows] == [(n, "completed") for n in (1, 2, 3)]
    assert set(children(os.getpid())) <= others


def start(settings, out):
    arguments = json.dumps([settings.to_dict(), str(out), (out / "search.json").exists()])
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"},
    )


@pytest.mark.long
def test_twenty_kills_of_anyone_leave_the_trials_asked_for(tmp_path):
    """The chief, a worker or the whole command dies at a random moment; what is asked for again ends what is left."""
    rng = random.Random(0)
    settings = Settings(SPACE, "random", trials=60, objectives=("accuracy", "size"), baselines=False)
    out, kills = tmp_path / "search", 0
    while kills < 20:
        command = start(settings, out)
        moment = time.monotonic() + rng.uniform(4, 16)
        while time.monotonic() < moment and command.poll() is None:
            time.sleep(0.05)
        assert command.poll() is None, "finished before it was killed often enough"
        victim = ("worker", "chief", "all")[kills % 3]
        workers = children(command.pid)
        if victim == "worker":
            for pid in workers[:1]:
                os.kill(pid, signal.SIGKILL)
            time.sleep(rng.uniform(0, 3))
            kills += bool(workers)
        kills += victim != "worker"
        os.killpg(command.pid, signal.SIGKILL) if victim == "all" else os.kill(command.pid, signal.SIGKILL)
        command.wait()
        deadline = time.monotonic() + 10
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers), "a worker outlived its chief"
    command = start(settings, out)
    printed, errors = command.communicate(timeout=1200)
    assert command.returncode == 0, errors.decode()[-2000:]
    assert json.loads(printed) == list(range(1, 61))
