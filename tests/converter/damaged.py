"""Feeds damaged model files to optimize, summary and lint in child processes, so that a crash is a result.

As a program it takes a file and a range of mutants and prints a line for each: `python -m tests.converter.damaged MODEL
FIRST LAST`.
"""

from __future__ import annotations

import traceback
from pathlib import Path

from tests.runtime import mutants

# A batch takes a minute or two. Who hangs is to be found all the same.
_TIMEOUT = 3600


def run(model: Path, first: int, last: int) -> mutants.Outcome:
    """What became of each mutant: "UserError" where all three refused it in a clear line, "runs" where one did not."""
    return mutants.run(model, first, last, _TIMEOUT, ("-m", "tests.converter.damaged"))


def _attempt(content: bytes) -> str:
    from tflbnn.analysis.counts_tflite import counts_tflite
    from tflbnn.analysis.lint import lint
    from tflbnn.converter.optimize import optimize
    from tflbnn.errors import UserError, VerificationError
    from tflbnn.runtime.check import check_model

    refused = 0
    uses = (lambda: optimize(content), lambda: counts_tflite(content), lambda: lint(content))
    for use in uses:
        try:
            check_model(content)
            use()
        except (UserError, VerificationError):  # the latter where a changed weight overflows in what it is rewritten to
            refused += 1
        except BaseException as error:  # whatever would be a traceback to a user, with its place
            place = traceback.extract_tb(error.__traceback__)[-1]
            return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}: {error}".replace("\n", " ")
    return "UserError" if refused == len(uses) else "runs"


if __name__ == "__main__":
    mutants.main(_attempt)
