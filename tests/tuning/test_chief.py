"""The chief's bookkeeping: workers that train, fail, vanish and come back in any order lose no trial."""

import random
import threading

import pytest

from tflbnn import recipes
from tflbnn.errors import UserError
from tflbnn.tuning import Progress, Settings, channel, parse_space
from tflbnn.tuning import chief as chief_
from tflbnn.tuning import tuner as tuner_
from tflbnn.tuning.channel import Client, Server
from tflbnn.tuning.chief import SILENCE, TRIES, Chief
from tflbnn.tuning.plans import plan_of
from tflbnn.tuning.tuner import RecipeTuner

DIGITS = recipes.get("digits")
SEARCHES = {
    "random": Settings(parse_space(DIGITS, ["t_clip=0.25..2.0"]), "random", trials=9),
    "grid": Settings(parse_space(DIGITS, ["seed=1,2,3", "growth_rate=8,16,32"]), "grid"),
    "hyperband": Settings(parse_space(DIGITS, ["t_clip=0.25..2.0"]), max_epochs=3),
    "bayesian": Settings(
        parse_space(DIGITS, ["t_clip=0.25..2.0"]), "bayesian", trials=9, objectives=("accuracy", "size")
    ),
}
TRIALS = {"random": 9, "grid": 9, "hyperband": 6, "bayesian": 9}


@pytest.fixture(autouse=True)
def _no_tensorboard(monkeypatch):
    monkeypatch.setattr(tuner_, "write_hparams", lambda *arguments: None)


class Ended(Progress):
    """Which trials have ended, and how often."""

    def __init__(self):
        self.rows = []

    def trial_ended(self, row, best):
        self.rows.append(row)


def new_chief(settings, out, progress=None):
    oracle, plan = plan_of(settings)
    return Chief(RecipeTuner(oracle, settings, plan.longest, out, progress or Progress()))


def metrics(values):
    return {"val_accuracy": 1 / (1 + sum(v for v in values.values() if isinstance(v, (int, float)))),
            "parameters": 86_049_199, "size_bytes": 100_000_001, "seconds": 0.1}  # fmt: skip


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_ends_failures_and_losses_has_the_trials_asked_for(search, seed, tmp_path):
    rng = random.Random(seed)
    progress = Ended()
    chief = new_chief(SEARCHES[search], tmp_path, progress)
    workers: dict[str, dict | None] = {f"worker{number}": None for number in range(3)}
    for _ in range(3000):
        if chief.finished.is_set():
            break
        name = rng.choice(list(workers))
        task, fate = workers[name], rng.random()
        if fate < 0.02:  # the chief is killed: only what it wrote is left
            chief, workers = new_chief(SEARCHES[search], tmp_path, progress), dict.fromkeys(workers)
        elif fate < 0.1:
            chief.lose(name)
            workers[name] = None
        elif task is None:
            reply = chief.answer({"method": "next", "worker": name})
            workers[name] = reply if reply["do"] == "train" else None
        elif fate < 0.2:
            message = "Traceback (most recent call last):\nValueError: no luck"
            chief.answer({"method": "end", "worker": name, "trial": task["trial"], "metrics": {}, "message": message})
            workers[name] = None
        else:
            chief.answer({"method": "end", "worker": name, "trial": task["trial"],
                          "metrics": metrics(task["values"]), "message": None})  # fmt: skip
            workers[name] = None
    assert chief.finished.is_set()
    rows = chief.tuner.rows()
    assert [row.trial for row in rows] == list(range(1, TRIALS[search] + 1))
    assert sorted(row.trial for row in progress.rows) == [row.trial for row in rows]  # each ended once
    drawn = [tuple(row.values.values()) for row in rows if row.continues is None]
    assert len(set(drawn)) == len(drawn)
    assert {row.reason for row in rows} <= {None, "ValueError: no luck", chief_reason()}
    assert all(row.size_bytes == 100_000_001 for row in rows if row.reason is None)


def chief_reason():
    return f"Its worker was lost {TRIES} times, killed by the system or for want of memory."


def test_a_trial_that_kills_its_workers_is_recorded(tmp_path):
    chief = new_chief(SEARCHES["random"], tmp_path)
    for number in range(TRIES):
        reply = chief.answer({"method": "next", "worker": f"worker{number}"})
        assert reply["number"] == 1
        chief.lose(f"worker{number}")
    assert [(row.trial, row.reason) for row in chief.tuner.rows()] == [(1, chief_reason())]
    assert chief.answer({"method": "next", "worker": "worker9"})["number"] == 2


def test_a_lost_worker_that_was_alive_after_all_changes_nothing(tmp_path):
    chief = new_chief(SEARCHES["random"], tmp_path)
    old = chief.answer({"method": "next", "worker": "slow"})
    chief.lose("slow")
    new = chief.answer({"method": "next", "worker": "quick"})
    assert new["trial"] == old["trial"]
    end = {"method": "end", "trial": old["trial"], "metrics": metrics(old["values"]), "message": None}
    chief.answer({**end, "worker": "slow"})
    assert chief.tuner.rows() == ()
    chief.answer({**end, "worker": "quick"})
    assert [row.trial for row in chief.tuner.rows()] == [1]


def test_silence_loses_workers_elsewhere_only(tmp_path, monkeypatch):
    chief = new_chief(SEARCHES["random"], tmp_path)
    for name in ("here", "elsewhere"):
        chief.answer({"method": "next", "worker": name})
    now = chief_.time.monotonic()
    for second in range(0, int(SILENCE) + 10, 5):
        monkeypatch.setattr(chief_.time, "monotonic", lambda at=now + second: at)
        chief.check_silence(("here",))
    assert list(chief.oracle.ongoing_trials) == ["here"]
    # A chief that was stopped itself has heard of nobody, and loses nobody.
    monkeypatch.setattr(chief_.time, "monotonic", lambda: now + 1000)
    chief.check_silence(())
    assert list(chief.oracle.ongoing_trials) == ["here"]


def test_workers_over_the_channel_share_the_trials(tmp_path):
    chief = new_chief(SEARCHES["random"], tmp_path)
    server = Server(chief.answer, f"{channel.LOOPBACK}:0")
    assert server.address.startswith("127.0.0.1:")
    trained = []

    def work(name):
        client = Client(server.address)
        assert client.send("hello", worker=name)["settings"] == SEARCHES["random"].to_dict()
        while (reply := client.send("next", worker=name))["do"] != "stop":
            if reply["do"] == "train":
                trained.append(reply["number"])
                client.send("end", worker=name, trial=reply["trial"], metrics=metrics(reply["values"]), message=None)

    threads = [threading.Thread(target=work, args=(f"worker{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    server.close()
    assert sorted(trained) == list(range(1, 10))
    with pytest.raises(UserError, match="A worker needs its chief"):
        Client(server.address, patience=0.2).send("hello", worker="late")


def test_a_port_that_is_taken_and_variables_that_are_half_set():
    server = Server(lambda message: {}, f"{channel.LOOPBACK}:0")
    with pytest.raises(UserError, match="needs a free port"):
        Server(lambda message: {}, server.address)
    server.close()
    assert channel.role({}) is None
    with pytest.raises(UserError, match="Set all three or none"):
        channel.role({"KERASTUNER_TUNER_ID": "chief"})
    with pytest.raises(UserError, match="the last one a number"):
        channel.role({"KERASTUNER_TUNER_ID": "w", "KERASTUNER_ORACLE_IP": "a", "KERASTUNER_ORACLE_PORT": "http"})
