"""What a search is after, accuracy, latency and size, and what a trial may cost at most. Loads no TensorFlow."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tflbnn.errors import UserError, nearest

# By name: the metric of a trial, and whether less of it is better.
OBJECTIVES = {"accuracy": ("val_accuracy", False), "latency": ("latency_ms", True), "size": ("size_bytes", True)}
# What is written behind a number, in milliseconds and bytes.
_UNITS = {
    "latency": {"us": 1e-3, "µs": 1e-3, "ms": 1.0, "s": 1e3},
    "size": {"B": 1, "KB": 1e3, "kB": 1e3, "MB": 1e6, "KiB": 2**10, "MiB": 2**20},
}
_EXAMPLES = {"latency": "latency<=5ms", "size": "size<=500KB"}


@dataclasses.dataclass(frozen=True)
class Constraint:
    """The most that a network may take: `Constraint("latency", 5.0)` in milliseconds, "size" in bytes.

    >>> str(Constraint("size", 500_000)), Constraint("size", 500_000).allows({"size_bytes": 400_000})
    ('size<=500KB', True)
    """

    name: str
    limit: float

    def __post_init__(self) -> None:
        if self.name not in _UNITS:
            raise UserError(
                f"A constraint is on latency or size. Received: {str(self.name)[:80]}. Write {_EXAMPLES['latency']}."
            )
        if type(self.limit) not in (int, float) or not 0 < self.limit < math.inf:
            raise UserError(f"A constraint must be a number above 0. Received: {self.name}<={str(self.limit)[:80]}.")

    @property
    def metric(self) -> str:
        """The metric of a trial that it is about."""
        return OBJECTIVES[self.name][0]

    def allows(self, costs: Mapping[str, float]) -> bool:
        return costs[self.metric] <= self.limit

    def check(self, costs: Mapping[str, float], source: str) -> None:
        """Raises a UserError where a network takes more; `source` says how that is known."""
        if not self.allows(costs):
            found = amount(self.name, costs[self.metric])
            raise UserError(
                f"{self.name} must be at most {amount(self.name, self.limit)}. Received: {found}, {source}."
            )

    def __str__(self) -> str:
        return f"{self.name}<={amount(self.name, self.limit).replace(' ', '')}"


def amount(name: str, value: float) -> str:
    """A latency or a size with its unit.

    >>> amount("latency", 0.4), amount("size", 12_345)
    ('0.4 ms', '12.345 KB')
    """
    return f"{value:.4g} ms" if name == "latency" else f"{value / 1000:.10g} KB"


def parse_objectives(text: str) -> tuple[str, ...]:
    """The objectives that a command names.

    >>> parse_objectives("accuracy,latency")
    ('accuracy', 'latency')

    Raises:
        UserError: an unknown one, one twice, or no accuracy.
    """
    return check_objectives(tuple(part.strip() for part in text.split(",")))


def check_objectives(names: Sequence[Any]) -> tuple[str, ...]:
    """The objectives, accuracy first."""
    for name in names:
        if name not in OBJECTIVES:
            raise UserError(f"There is no objective '{str(name)[:80]}'. {nearest(str(name), list(OBJECTIVES))}")
    if len(set(names)) < len(names) or "accuracy" not in names:
        raise UserError(
            f"A search is after accuracy, and each of latency and size once. Received: {','.join(names)}. "
            "Write accuracy,latency,size."
        )
    return tuple(name for name in OBJECTIVES if name in names)


def parse_constraints(text: str) -> tuple[Constraint, ...]:
    """The constraints that a command names, with spaces between.

    >>> [str(constraint) for constraint in parse_constraints("latency<=5ms size<=500KB")]
    ['latency<=5ms', 'size<=500KB']

    Raises:
        UserError: a word that is none, or one cost twice.
    """
    found = tuple(_parse(word) for word in text.split())
    names = [constraint.name for constraint in found]
    if len(set(names)) < len(names):
        raise UserError(f"A cost has one constraint. Received: {text[:80]}. Leave one out.")
    return found


def _parse(word: str) -> Constraint:
    match = re.fullmatch(r"(\w+)<=?([0-9.eE+-]+)([a-zA-Zµ]*)", word)
    name, number, unit = match.groups() if match else ("", "", "")
    try:
        limit = float(number) * _UNITS[name][unit]
    except (KeyError, ValueError):
        example = _EXAMPLES.get(name, " ".join(_EXAMPLES.values()))
        raise UserError(
            f"A constraint is written name<=number and unit. Received: {word[:80]}. Write {example}."
        ) from None
    return Constraint(name, limit)
