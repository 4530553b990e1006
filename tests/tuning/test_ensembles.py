"""BENN's K as a field of a search."""

import json

import pytest

from tflbnn import recipes, training
from tflbnn.cli import main
from tflbnn.ensembles.run import EnsembleRun
from tflbnn.errors import UserError
from tflbnn.tuning import Progress, Settings, parse_constraints, parse_space, search
from tflbnn.tuning.trial import ENSEMBLE

DIGITS = recipes.get("digits").override(
    {"growth_rate": "8", "layers": "1,1,1", "epochs": "1", "data.samples": "60", "batch_size": "20"}
)


class Killed(BaseException):
    """What nothing catches."""


class KilledInTheSecondMember(Progress):
    def __init__(self):
        self.epochs = 0

    def trained(self, state):
        self.epochs += state.done
        if self.epochs == 2:
            raise Killed


def test_a_search_bags_its_members_survives_a_kill_and_is_trained_from_a_trial(tmp_path, capsys):
    out = tmp_path / "search"
    wanted = Settings(parse_space(DIGITS, ["members=1,2"]), "grid", constraints=parse_constraints("latency<=1000ms"))
    with pytest.raises(Killed):
        search(wanted, out, progress=KilledInTheSecondMember())
    found = search(wanted, out, resume=True)
    assert [row.status for row in found.rows] == ["completed"] * 2
    one, two = sorted(found.rows, key=lambda row: row.values["members"])
    assert [row.values["members"] for row in (one, two)] == [1, 2]
    assert (two.parameters, two.size_bytes) == (2 * one.parameters, 2 * one.size_bytes)
    assert two.latency_ms > one.latency_ms
    assert not list(out.glob(f"**/{ENSEMBLE}"))  # only a search that goes on needs them
    assert (found.run.path / "ensemble.json").exists() == (found.best.values["members"] == 2)

    with pytest.raises(SystemExit) as end:
        main(["train", "--from-trial", str(out), str(two.trial), "--out", str(tmp_path / "run")])
    assert end.value.code == 2
    assert "Write tflbnn ensemble in the place of tflbnn train" in " ".join(capsys.readouterr().err.split())
    with pytest.raises(SystemExit) as end:
        main(["ensemble", "--from-trial", str(out), str(two.trial), "--out", str(tmp_path / "run"), "--json"])
    assert end.value.code == 0
    assert json.loads(capsys.readouterr().out)["members"] == 2
    # The same training as the trial's.
    trained = EnsembleRun.open(tmp_path / "run")
    assert trained.metrics["validation_soft"][-1] == pytest.approx(two.val_accuracy)


def test_hyperband_continues_no_ensembles():
    with pytest.raises(UserError, match="Received: members"):
        Settings(parse_space(DIGITS, ["members=1,2"]), "hyperband")
    with pytest.raises(UserError, match="Received: members"):
        Settings(parse_space(DIGITS.override({"members": "2"}), ["t_clip=0.5,1"]), "hyperband")


def test_a_network_is_trained_alone(tmp_path):
    with pytest.raises(UserError, match="members=3"):
        training.train(DIGITS.override({"members": "3"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()
