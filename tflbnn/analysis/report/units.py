"""Values as people read them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any


def flatten(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested dictionaries as (dotted key, value) rows, in their order.

    >>> list(flatten({"network": {"name": "lenet", "knobs": {}}, "tunable": [1, 2], "paper": None}))
    [('network.name', 'lenet'), ('network.knobs', '–'), ('tunable', '1, 2'), ('paper', '–')]
    """
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flatten(item, f"{prefix}.{key}" if prefix else str(key))
    elif prefix:
        yield prefix, cell(value)


def cell(value: Any) -> str:
    """A value from a file, for people.

    >>> cell(True), cell(2.4000001e-07), cell([8, 8, 32]), cell(None)
    ('yes', '2.4e-07', '8, 8, 32', '–')
    """
    if value is None or value in ({}, [], "", ()):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)) and not any(isinstance(item, (dict, list, tuple)) for item in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def percent(share: float) -> str:
    """A share with one decimal that never rounds mistakes away.

    >>> percent(1.0), percent(0.99996), percent(0.9861)
    ('100 %', '99.9 %', '98.6 %')
    """
    return "100 %" if share == 1 else f"{math.floor(share * 1000 + 0.5) / 10 if share < 0.9995 else 99.9:.1f} %"


def milliseconds(value: float) -> str:
    """Three significant digits, microseconds included.

    >>> milliseconds(0.12345), milliseconds(254.71)
    ('0.123 ms', '255 ms')
    """
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:.{min(digits, 4)}f} ms"
