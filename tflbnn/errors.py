"""The two errors that a user can cause, each with an exit code of its own."""

INSTALL_TRAIN = "Run: pip install 'tflbnn[train]'"


class UserError(Exception):
    """An input that breaks a rule: exit code 2.

    The message is one line: the rule, what was received, the cure.
    """

    exit_code = 2


class VerificationError(Exception):
    """A converted model that does not compute what the trained one did: exit code 3."""

    exit_code = 3


def nearest(word: str, choices: "list[str] | tuple[str, ...]") -> str:
    """The end of an error message about an unknown name: the nearest choice, or all of them.

    >>> nearest("digts", ["digits", "mnist"])
    "Did you mean 'digits'?"
    >>> nearest("imagenet", ["digits", "mnist"])
    'Choose one of: digits, mnist.'
    """
    import difflib

    matches = difflib.get_close_matches(word, choices, n=1)
    return f"Did you mean '{matches[0]}'?" if matches else f"Choose one of: {', '.join(choices)}."
