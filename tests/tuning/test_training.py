"""Searches that train: a grid, a trial that fails, a search killed by the system and resumed."""

import csv
import dataclasses
import signal
import subprocess
import sys
import textwrap

from PIL import Image

from tflbnn import recipes
from tflbnn.tuning import Settings, driver, parse_space, search

SMALL = recipes.get("digits").override(
    {
        "layers": "1",
        "reduction": "",
        "growth_rate": "4",
        "first_filters": "8",
        "data.samples": "160",
        "batch_size": "48",
        "epochs": "1",
    }
)


def trained(rows):
    """The rows without what a clock measured."""
    return [dataclasses.replace(row, seconds=None) for row in rows]


def test_a_grid_with_a_network_that_cannot_be_built(tmp_path, capfd):
    space = parse_space(SMALL, ["network.layers=1/1,1", "t_clip=0.5,1.5"])
    found = search(Settings(space, "grid"), tmp_path / "search")
    printed = capfd.readouterr()
    assert "Traceback" not in printed.err
    assert not printed.out
    by_layers = {
        layers: [row for row in found.rows if row.values["network.layers"] == layers] for layers in ((1,), (1, 1))
    }
    assert [row.status for row in by_layers[1,]] == ["completed"] * 2
    assert [row.status for row in by_layers[1, 1]] == ["failed"] * 2
    assert all("reduction" in row.reason and "\n" not in row.reason for row in by_layers[1, 1])
    for row in by_layers[1,]:
        assert 0 <= row.val_accuracy <= 1
        assert 0 < row.parameters < row.size_bytes * 8
        assert row.epochs == 1
    assert found.best.pareto
    assert found.run.finished
    assert found.run.recipe == space.variant(found.best.values)
    assert found.run.path == tmp_path / "search" / "best"
    assert found.run.load_model().output_shape == (None, 10)
    with open(tmp_path / "search" / "trials.csv", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == [row.status for row in found.rows]
    with Image.open(tmp_path / "search" / "trials.png") as image:
        assert image.size == (1200, 750)


def test_a_search_killed_by_the_system_resumes_with_the_same_trials(tmp_path, monkeypatch):
    """The child is killed within the last epoch of a trial that continues another one."""
    monkeypatch.setattr(driver, "_train", lambda *arguments: None)  # a killed run's resumption is training's own test
    space = parse_space(SMALL, ["t_clip=0.25..2.0"])
    whole = search(Settings(space, max_epochs=3), tmp_path / "whole")
    script = f"""
        import os, signal
        from tflbnn.recipes import Recipe
        from tflbnn.tuning import Progress, Settings, parse_space, search

        class Killer(Progress):
            def trial_started(self, number, values, first, last):
                self.last, self.armed = last, first > 1

            def trained(self, state):
                if self.armed and state.epoch == self.last and not state.done:
                    os.kill(os.getpid(), signal.SIGKILL)

        space = parse_space(Recipe.from_dict({SMALL.to_dict()!r}), ["t_clip=0.25..2.0"])
        search(Settings(space, max_epochs=3), {str(tmp_path / "killed")!r}, progress=Killer())
        """
    child = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, timeout=600)
    assert child.returncode == -signal.SIGKILL, child.stderr
    found = search(Settings(space, max_epochs=3), tmp_path / "killed", resume=True)
    assert trained(found.rows) == trained(whole.rows)
    assert len(found.rows) == 6
    continued = next(row for row in found.rows if row.continues)
    for folder in (tmp_path / "whole", tmp_path / "killed"):
        with open(folder / "trials" / f"trial_{continued.trial - 1:04d}" / "history.csv", newline="") as file:
            assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3"]
