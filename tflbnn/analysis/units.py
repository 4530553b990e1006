"""Sizes and large counts as people read them."""

from __future__ import annotations


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
