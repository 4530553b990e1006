"""Training on several devices and processes: the gradients are one process's, and what is lost is survived."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.training.tiny import CHANGES
from tflbnn import recipes
from tflbnn.errors import UserError
from tflbnn.training import Run
from tflbnn.training.distributed import train_distributed
from tflbnn.training.distribution import Distribution, read_cluster

WORKERS = '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}'


def free_ports(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def environment(cluster=None, task=None, index=0):
    quiet = {**os.environ, "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "2"}
    if cluster is None:
        return quiet
    return {**quiet, "TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": task, "index": index}})}


def start(arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def check_step(process):
    printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors[-3000:]
    found = json.loads(printed.splitlines()[-1])
    assert found["replicas"] == 2
    assert max(found["sizes"]) > 0.01
    assert max(found["errors"]) < 1e-5


def test_two_devices_have_the_gradients_of_one_process():
    check_step(start(["tests.training.distributed_step", "mirrored", 32], env=environment()))


def test_two_processes_have_the_gradients_of_one():
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    processes = [
        start(["tests.training.distributed_step", "multi-worker", 32], env=environment(cluster, "worker", index))
        for index in range(2)
    ]
    check_step(processes[0])
    assert processes[1].wait(timeout=60) == 0, processes[1].stderr.read()[-3000:]


@pytest.mark.long
def test_a_parameter_server_loses_a_worker_and_reaches_the_accuracy(tmp_path):
    ports = free_ports(4)
    address = [f"127.0.0.1:{port}" for port in ports]
    cluster = {"chief": address[:1], "ps": address[1:2], "worker": address[2:]}
    words = ["tflbnn", "train", "digits", "layers=1,1", "reduction=2", "growth_rate=16", "first_filters=16", "epochs=8",
             "execution.precision=float32", "--distribute", "parameter-server", "--out", tmp_path / "run"]  # fmt: skip
    served = {name: start(words, env=environment(cluster, *name)) for name in (("ps", 0), ("worker", 0), ("worker", 1))}
    chief = start(words, env=environment(cluster, "chief", 0))
    try:
        history = tmp_path / "run" / "history.csv"
        while not (history.exists() and len(history.read_text().splitlines()) > 2):
            assert chief.poll() is None, chief.stderr.read()[-3000:]
            time.sleep(0.2)
        served["worker", 1].send_signal(signal.SIGKILL)
        _, errors = chief.communicate(timeout=900)
        assert chief.returncode == 0, errors[-3000:]
        for name in (("ps", 0), ("worker", 0)):
            assert served[name].wait(timeout=60) == 0, served[name].stderr.read()[-3000:]
    finally:
        for process in (chief, *served.values()):
            process.kill()
    run = Run.open(tmp_path / "run")
    assert len(run.history) == 8
    assert run.metrics["test_accuracy"] > 0.9
    assert run.load_model().output_shape == (None, 10)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "multi-worker"),
        ("{", "multi-worker"),
        ("[]", "multi-worker"),
        ('{"cluster": {}, "task": {}}', "multi-worker"),
        (WORKERS.replace('"index": 0', '"index": 2'), "multi-worker"),
        (WORKERS.replace("a:1", "a"), "multi-worker"),
        (WORKERS, "parameter-server"),
    ],
)
def test_a_cluster_that_is_none(text, name):
    with pytest.raises(UserError, match=f"{name} needs TF_CONFIG"):
        read_cluster(name, {"TF_CONFIG": text})


def test_what_is_refused(tmp_path):
    with pytest.raises(UserError, match="Did you mean 'mirrored'"):
        Distribution("miror")
    staged = recipes.get("digits").override({**CHANGES, "pretraining.method": "htanh"})
    with pytest.raises(UserError, match="one stage and no teacher"):
        train_distributed(staged, tmp_path / "run", "mirrored")
    with pytest.raises(UserError, match="is for classification"):
        train_distributed(recipes.get("ssd-shapes"), tmp_path / "run", "mirrored", smoke=True)
    assert not (tmp_path / "run").exists()
