"""What a pass says about itself: where it matched, and where it nearly did, with the reason."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass
class Matches:
    """Filled by a pass while it rewrites.

    Attributes:
        matched: what was rewritten, by the names of tensors, or in words.
        missed: what nearly matched, by the name of a tensor, with the reason why not.
    """

    matched: list[str] = dataclasses.field(default_factory=list)
    missed: list[tuple[str, str]] = dataclasses.field(default_factory=list)


class NoMatchError(Exception):
    """A pattern nearly matched; the message is the reason why not."""
