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


def size(count: float) -> str:
    """Bytes for people, in powers of 1024.

    >>> size(900), size(62_000), size(4_250_000)
    ('900 B', '60.5 KiB', '4.05 MiB')
    """
    if count < 1024:
        return f"{count:.0f} B"
    return f"{count / 1024:.1f} KiB" if count < 1024**2 else f"{count / 1024**2:.2f} MiB"


def short(count: float) -> str:
    """A large count for people, in powers of 1000; its unit does not go to another line.

    >>> short(950), short(92_650), short(1_280_000_000)
    ('950', '92.7\\xa0k', '1.28\\xa0G')
    """
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= scale * 0.9995:
            return f"{count / scale:.3g}\N{NO-BREAK SPACE}{unit}"
    return f"{count:g}"


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
