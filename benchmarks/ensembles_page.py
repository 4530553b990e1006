"""docs/ensemble_results.md from the result file of ensembles.py: the table, and which of the paper's insights hold."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

import results

from tflbnn._files import atomic_write

PAGE = results.ROOT / "docs" / "ensemble_results.md"
SHOWN = (1, 2, 5, 10, 32)
ENSEMBLES = ("Bag-Indep", "Bag-Seq", "Boost-Indep", "Boost-Seq")

_INTRODUCTION = """# Ensembles, measured

What BENN claims in section 6.1, tried in a budget for two cores: Network-in-Network as Nano and Tiny, on Fashion-MNIST
(2,000 training and 2,000 test images, a tenth of the former held out) and on digits. A network is trained in XNOR-Net's
way for 4 epochs (digits 20); each member starts from it and is trained for 2 epochs (digits 5), boosting is SAMME. The
single network is trained five times as long as a member, the float twin as long as it and what it started from. "Best"
is chosen on validation images; the paper chooses on test images. With so little training compare signs, not numbers.

Accuracies in %, mean ± standard deviation over the seeds. Deviation: of the accuracy over the last 20 training steps,
in points, of 100 test images.

`python benchmarks/ensembles.py --members K` trains what is missing, and goes on where it was interrupted.
"""

Rows = list[dict[str, str]]


def write(rows: Rows, cases: Iterable[str]) -> None:
    """Writes the page of these rows."""
    lines = [_INTRODUCTION]
    for case in cases:
        own = [row for row in rows if row["case"] == case]
        if own:
            lines += [f"## {case}", "", *_cut(own), *_table(own), "", *_insights(own), ""]
    missing = [case for case in cases if not any(row["case"] == case for row in rows)]
    if missing:
        lines += [f"Not trained yet: {'; '.join(missing)}.", ""]
    atomic_write(PAGE, "\n".join(lines))


def _cell(rows: Rows, column: str) -> str:
    values = [100 * float(row[column]) for row in rows if row[column]]
    if not values:
        return ""
    spread = f" ± {statistics.stdev(values):.1f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.1f}{spread}"


def _most(rows: Rows) -> dict[str, int]:
    """The members of each method's largest ensembles that every seed has."""
    seeds = {row["seed"] for row in rows}
    return {
        method: min(
            max((int(r["members"]) for r in rows if (r["method"], r["seed"]) == (method, seed)), default=0)
            for seed in seeds
        )
        for method in ENSEMBLES
    }


def _cut(rows: Rows) -> list[str]:
    """Which ensembles are smaller than the paper's."""
    cut = [f"{method} {members}" for method, members in _most(rows).items() if members < SHOWN[-1]]
    return [f"Members were cut to save time, seeds were not: {', '.join(cut)} of {SHOWN[-1]}.", ""] if cut else []


def _table(rows: Rows) -> list[str]:
    most = _most(rows)
    lines = [
        "| | members | vote | test accuracy | deviation | disagreement | seeds |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    kinds = [
        ("single", 1, "last", "single"),
        ("single", 1, "best", "Best single"),
        ("float32", 1, "best", "float twin"),
    ]
    kinds += [(m, k, vote, m) for m in ENSEMBLES for k in SHOWN for vote in ("hard", "soft")]
    for method, members, vote, name in kinds:
        found = [r for r in rows if (r["method"], int(r["members"]), r["vote"]) == (method, members, vote)]
        if found and members <= most.get(method, 1):
            cells = (_cell(found, column) for column in ("test_accuracy", "deviation", "disagreement"))
            kind = vote if method in ENSEMBLES else ""
            lines.append(f"| {name} | {members} | {kind} | {' | '.join(cells)} | {len(found)} |")
    return lines


def _insights(rows: Rows) -> list[str]:
    """Each of the paper's insights with the differences seed by seed, at the most members that all have."""
    members = min(_most(rows).values())
    if members < 2:
        return ["Ensembles of two and more are not trained yet with every seed."]

    def of(method: str, vote: str = "soft", k: int | None = None, column: str = "test_accuracy") -> dict[str, float]:
        count = 1 if method in ("single", "float32") else k or members
        return {
            r["seed"]: 100 * float(r[column])
            for r in rows
            if (r["method"], r["vote"], int(r["members"])) == (method, vote, count) and r[column]
        }

    def mean(*tables: dict[str, float]) -> dict[str, float]:
        common = set.intersection(*(set(table) for table in tables))
        return {seed: statistics.mean(table[seed] for table in tables) for seed in common}

    bag, boost = mean(of("Bag-Indep"), of("Bag-Seq")), mean(of("Boost-Indep"), of("Boost-Seq"))
    seq, indep = mean(of("Bag-Seq"), of("Boost-Seq")), mean(of("Bag-Indep"), of("Boost-Indep"))
    everything = mean(bag, boost)
    hard = mean(*(of(method, "hard") for method in ENSEMBLES))

    def steps(k: int) -> dict[str, float]:
        return mean(*(of(method, "soft", k, "deviation") for method in ENSEMBLES))

    def calm(vote: str) -> dict[str, float]:
        return {seed: -value for seed, value in of("single", vote, column="deviation").items()}

    claims: list[tuple[str, dict[str, float], dict[str, float]]] = [
        ("An ensemble is better than the single network", everything, of("single", "last")),
        ("An ensemble is better than the best single network", everything, of("single", "best")),
        ("Boosting is better than bagging", boost, bag),
        ("Sequential members are better than independent ones", seq, indep),
        ("Soft votes are better than hard ones", everything, hard),
        ("An ensemble is better than the float twin", everything, of("float32", "best")),
        ("An ensemble oscillates less than a member", {s: -v for s, v in steps(members).items()},
         {s: -v for s, v in steps(1).items()}),
        ("The best network oscillates less than the last", calm("best"), calm("last")),
    ]  # fmt: skip
    lines = [f"| with {members} members | points | seeds of which it holds | |", "| --- | ---: | ---: | --- |"]
    for text, ours, theirs in claims:
        lines.append(_claim(text, ours, theirs))
    return [line for line in lines if line]


def _claim(text: str, ours: dict[str, float], theirs: dict[str, float]) -> str:
    differences = [ours[seed] - theirs[seed] for seed in sorted(set(ours) & set(theirs))]
    if not differences:
        return ""
    holds = sum(difference > 0 for difference in differences)
    verdict = "holds" if holds == len(differences) else "does not hold" if not holds else "undecided"
    return f"| {text} | {statistics.mean(differences):+.1f} | {holds} of {len(differences)} | {verdict} |"
