"""The report's sections in their order. A section is a module here and a line below; it has

    TITLE                       its heading
    gather(source) -> value     if it needs more than `Facts` has: reads a file, runs a model. None leaves the section
                                out; a UserError becomes a note at the top of the page, and leaves it out too
    blocks(facts) -> list       what it shows, of `tflbnn.analysis.report.blocks`; nothing leaves the section out

The module's name is the section's id, and facts.parts[id] is what it gathered. Importing it loads no TensorFlow.
"""

from __future__ import annotations

from tflbnn.analysis.report.sections import (
    confusion,
    environment,
    figures,
    latency,
    layers,
    operations,
    recipe,
    reproduce,
    search,
    training,
    verification,
)

SECTIONS = (
    training,
    confusion,
    layers,
    latency,
    operations,
    search,
    figures,
    verification,
    recipe,
    environment,
    reproduce,
)


def id_of(section: object) -> str:
    """The section's name in the page and in `Facts.parts`.

    >>> id_of(training)
    'training'
    """
    return section.__name__.rpartition(".")[2]
