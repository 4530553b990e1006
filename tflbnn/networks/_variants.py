"""Networks of a family that differ in nothing but their defaults."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any


def variant(network: Callable[..., Any], **defaults: Any) -> Callable[[Callable[[], None]], Callable[..., Any]]:
    """Make a function without arguments, of which only its name and its docstring count, `network` with other defaults.

    The signature is the whole of `network`'s: recipes, the tuner and --help read knobs, types and defaults from it.

    Args:
        network: the builder that does the work.
        defaults: of its arguments, by name.

    Raises:
        TypeError: `network` has no argument of such a name.

    >>> def plain(input_shape, classes=10, *, width: float = 1.0):
    ...     return input_shape, classes, width
    >>> @variant(plain, width=2.0)
    ... def wide():
    ...     "A wide one."
    >>> wide((8, 8, 1), 5), inspect.signature(wide).parameters["width"].default
    (((8, 8, 1), 5, 2.0), 2.0)
    """
    # Annotations are evaluated here, where they are written: a variant may stand in another module.
    signature = inspect.signature(network, eval_str=True)
    if unknown := defaults.keys() - signature.parameters.keys():
        raise TypeError(f"{network.__name__} has no argument {', '.join(sorted(unknown))}")
    parameters = [p.replace(default=defaults.get(p.name, p.default)) for p in signature.parameters.values()]
    signature = signature.replace(parameters=parameters)

    def decorate(named: Callable[[], None]) -> Callable[..., Any]:
        @functools.wraps(named)
        def build(*args: Any, **knobs: Any) -> Any:
            arguments = signature.bind(*args, **knobs)
            arguments.apply_defaults()
            return network(*arguments.args, **arguments.kwargs)

        build.__wrapped__ = network  # whose module has the names that its annotations use
        build.__signature__ = signature
        build.__annotations__ = {p.name: p.annotation for p in parameters}
        build.__doc__ = f"{named.__doc__}\n\nArguments, result and errors are those of `{network.__name__}`.\n"
        return build

    return decorate
