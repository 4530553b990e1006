"""Ensembles of binary networks: BENN's table 4 and figures 2 to 4 on Fashion-MNIST and digits, with three seeds.

Network-in-Network as Nano and Tiny (table 2, SB), each trained in XNOR-Net's way and then, as a member, for a few
epochs more (6.1): a single network that is trained as long as five members together, the best of its epochs, bagging
and boosting (SAMME) with independent and with sequential members, the votes hard and soft, and the float twin.

python benchmarks/ensembles.py                 train what the result file lacks, then write docs/ensemble_results.md
python benchmarks/ensembles.py --members 10    let every ensemble grow to 10 members
python benchmarks/ensembles.py --table         write the page alone

It can be interrupted at any moment: what is finished is in the result file, what is not is resumed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ensembles_page
import numpy as np
import results

from tflbnn import data, recipes
from tflbnn.binarization import Binarization
from tflbnn.ensembles.settings import Settings
from tflbnn.recipes import Pretraining, Recipe
from tflbnn.training import stages

# One thread, so that sums are added in one order. Read when TensorFlow loads.
THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
NAME = "ensembles"
RUNS = results.ROOT / "runs" / "ensembles"
SEEDS = (0, 1, 2)
STEP_IMAGES = 100

_FASHION = {"data.samples": "2000", "pretraining.epochs": "4", "epochs": "2"}
_DIGITS = {"data.name": "digits", "flip": "false", "pretraining.epochs": "20", "epochs": "5"}
CASES: dict[str, dict[str, str]] = {
    "digits, NIN-Nano": {**_DIGITS, "width": "0.1", "execution.precision": "float32"},
    "Fashion-MNIST, NIN-Nano": {**_FASHION, "width": "0.1", "execution.precision": "float32"},
    "Fashion-MNIST, NIN-Tiny": {**_FASHION, "width": "0.5", "execution.precision": "mixed_bfloat16"},
}
METHODS: dict[str, Settings] = {
    f"{kind}-{'Seq' if sequential else 'Indep'}": Settings(method, 5, sequential, step_images=STEP_IMAGES)
    for kind, method in (("Bag", "bagging"), ("Boost", "samme"))
    for sequential in (False, True)
}
SINGLE_EPOCHS = 5  # times those of a member


def recipe_of(case: str, seed: int) -> Recipe:
    """A member's recipe."""
    return recipes.get("fashion-mnist-nin").override({**CASES[case], "seed": str(seed)})


def folder_of(case: str, seed: int) -> Path:
    return RUNS / f"{case.lower().replace(', ', '-').replace(' ', '-')}-{seed}"


class Unit:
    """What one case and one seed share: the data and the network that every training starts from."""

    def __init__(self, case: str, seed: int) -> None:
        self.case, self.seed, self.folder = case, seed, folder_of(case, seed)
        self.whole = recipe_of(case, seed)
        self.dataset = data.load(self.whole.data)

    @property
    def member(self) -> Recipe:
        """The recipe, starting from the one XNOR-Net-trained network."""
        from tflbnn.ensembles.member import train_member

        path = self.folder / "xnor-net"
        train_member(stages.before(self.whole), self.dataset, path, Settings(best=False), progress=tell(self, "XNOR"))
        return dataclasses.replace(self.whole, pretraining=Pretraining(run=str(path)))

    def rows(self, what: str, members: int) -> Iterator[dict[str, Any]]:
        started = time.process_time()
        made = {"single": self._single, "float32": self._float32}.get(what) or self._ensemble
        rows = list(made(what, members))
        seconds = round(time.process_time() - started)
        for row in rows:
            yield {"case": self.case, "method": what, **row, "cpu_seconds": seconds, **results.provenance(self.seed)}

    def _single(self, what: str, members: int) -> Iterator[dict[str, Any]]:
        """Trained as long as five members; as it is at the end, and as it was in the best epoch."""
        from tflbnn.ensembles import member as members_
        from tflbnn.ensembles.stability import deviation
        from tflbnn.training import Run, checkpoint, fit

        shared = self.member
        recipe = dataclasses.replace(shared, epochs=SINGLE_EPOCHS * shared.epochs, pretraining=Pretraining())
        path = self.folder / "single"
        settings = Settings(best=True, step_images=STEP_IMAGES)
        members_.train_member(
            recipe, self.dataset, path, settings, start=Path(shared.pretraining.run), progress=tell(self, what)
        )
        run = Run.open(path)
        model = fit.build(recipe, self.dataset)
        checkpoint.restore(path / "checkpoints", model)
        said = members_.predict(model, recipe, self.dataset.test, self.dataset)
        steps = members_.load_arrays(path / members_.LAST_STEPS)["outputs"]
        images = steps.shape[1] // 2
        validated, tested = (
            (part.argmax(axis=2) == y[:images]).mean(axis=1)
            for part, y in ((steps[:, :images], self.dataset.validation.y), (steps[:, images:], self.dataset.test.y))
        )
        best = [tested[int(np.argmax(validated[: step + 1]))] for step in range(len(tested))]
        validation = [row["val_accuracy"] for row in run.history]
        yield _row(
            "last", 1, float((said.argmax(axis=1) == self.dataset.test.y).mean()), validation[-1], deviation(tested)
        )
        yield _row("best", 1, run.metrics["test_accuracy"], max(validation), deviation(best))

    def _float32(self, what: str, members: int) -> Iterator[dict[str, Any]]:
        """The float twin, trained as long as the single network and the one it started from."""
        from tflbnn.ensembles.member import train_member
        from tflbnn.training import Run

        epochs = self.whole.pretraining.epochs + SINGLE_EPOCHS * self.whole.epochs
        recipe = dataclasses.replace(
            self.whole,
            binarization=Binarization.float32(),
            pretraining=Pretraining(),
            epochs=epochs,
            execution=dataclasses.replace(self.whole.execution, precision="float32"),
        )
        train_member(recipe, self.dataset, self.folder / "float32", Settings(best=True), progress=tell(self, what))
        run = Run.open(self.folder / "float32")
        best = max(row["val_accuracy"] for row in run.history)
        yield _row("best", 1, run.metrics["test_accuracy"], best, None)

    def _ensemble(self, what: str, members: int) -> Iterator[dict[str, Any]]:
        from tflbnn.ensembles.diversity import diversity
        from tflbnn.ensembles.member import LAST_STEPS, load_arrays
        from tflbnn.ensembles.stability import deviation, step_accuracies
        from tflbnn.ensembles.train import train_ensemble
        from tflbnn.ensembles.voting import rule_of

        settings = dataclasses.replace(METHODS[what], members=members)
        path = self.folder / what.lower()
        ensemble = train_ensemble(
            self.member,
            settings,
            path,
            resume=(path / "ensemble.json").exists(),
            dataset=self.dataset,
            progress=lambda number, state: tell(self, f"{what} {number}")(state),
        )
        steps = np.stack([load_arrays(member.run.path / LAST_STEPS)["outputs"] for member in ensemble.members])
        images = steps.shape[2] // 2
        labels = ensemble.outputs("test").argmax(axis=2)
        for k in range(1, len(ensemble.members) + 1):
            for voting in ("hard", "soft"):
                rule = rule_of(settings.method, voting)
                stages_ = step_accuracies(
                    steps[:k, :, images:], self.dataset.test.y[:images], rule, ensemble.weights[:k]
                )
                tested, validated = (ensemble.metrics[f"{part}_{voting}"][k - 1] for part in ("test", "validation"))
                found = diversity(labels[:k], self.dataset.test.y)
                yield _row(voting, k, tested, validated, deviation(stages_), found.disagreement, found.q_statistic)


def _row(
    vote: str,
    members: int,
    test: float,
    validation: float,
    deviation: float | None,
    disagreement: float = float("nan"),
    q_statistic: float = float("nan"),
) -> dict[str, Any]:
    def text(value: float | None) -> str:
        return "" if value is None or np.isnan(value) else f"{value:.4f}"

    return {
        "vote": vote,
        "members": members,
        "test_accuracy": text(test),
        "validation_accuracy": text(validation),
        "deviation": text(deviation),
        "disagreement": text(disagreement),
        "q_statistic": text(q_statistic),
    }


def tell(unit: Unit, what: str) -> Any:
    """A line an epoch."""

    def progress(state: Any) -> None:
        if state.done:
            epoch, accuracy = f"{state.epoch}/{state.epochs}", state.values["val_accuracy"]
            print(f"{unit.case} {unit.seed} {what} {epoch} val {accuracy:.3f}", file=sys.stderr, flush=True)

    return progress


def missing(
    rows: list[dict[str, Any]], cases: list[str], seeds: Sequence[int], members: int
) -> Iterator[tuple[str, int, str]]:
    """What is not in the result file yet: a case with all seeds before the next."""
    done: dict[tuple[str, int, str], int] = {}
    for row in rows:
        key = (row["case"], int(row["seed"]), row["method"])
        done[key] = max(done.get(key, 0), int(row["members"]))
    for case in cases:
        for seed in seeds:
            for what in ("single", *METHODS, "float32"):
                if done.get((case, seed, what), 0) < (members if what in METHODS else 1):
                    yield case, seed, what


def main() -> None:
    os.environ.update(THREADS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=5, help="of every ensemble")
    parser.add_argument("--case", action="append", choices=CASES, help="only these")
    parser.add_argument("--seed", action="append", type=int, choices=SEEDS, help="only these")
    parser.add_argument("--table", action="store_true", help="write the page alone")
    arguments = parser.parse_args()
    path = results.RESULTS / f"{NAME}.csv"
    rows: list[dict[str, Any]] = list(results.read(path)) if path.exists() else []
    if not arguments.table:
        cases, seeds = arguments.case or list(CASES), arguments.seed or SEEDS
        for case, seed, what in list(missing(rows, cases, seeds, arguments.members)):
            new = list(Unit(case, seed).rows(what, arguments.members))
            # Another process may have written meanwhile.
            rows = list(results.read(path)) if path.exists() else []
            rows = [r for r in rows if (r["case"], int(r["seed"]), r["method"]) != (case, seed, what)]
            rows = [*rows, *new]
            results.write(NAME, rows)
            rows = list(results.read(path))  # as text, all of them
            ensembles_page.write(rows, CASES)
            print(json.dumps({key: new[-1][key] for key in ("case", "method", "members", "test_accuracy")}), flush=True)
    if arguments.table:
        ensembles_page.write(rows, CASES)


if __name__ == "__main__":
    main()
