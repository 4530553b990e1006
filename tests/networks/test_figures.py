"""What the papers print of their networks, against what is counted here."""

import pytest

from tests.networks.counted import counted
from tflbnn import networks
from tflbnn.binarization import Binarization

FIGURES = [
    (name, figure)
    for name in networks.NAMES
    for figure in networks.figures(name)
    if figure.size is not None or figure.parameters is not None
]


@pytest.mark.parametrize(
    ("name", "figure"), FIGURES, ids=[f"{name}-{figure.size}-{figure.source}" for name, figure in FIGURES]
)
def test_sizes_and_parameters_are_the_papers(name: str, figure: networks.Figure) -> None:
    found = counted(name, figure.input_shape, figure.classes, Binarization(**figure.binarization), **figure.knobs)
    moving = found.moving_statistics if figure.moving_statistics else 0
    if figure.size is not None:
        tolerance = 0.012 if name.startswith("binary_densenet") else 0.03
        agrees = found.size_bytes + 4 * moving == pytest.approx(figure.size_bytes, rel=tolerance)
        assert agrees or "size_bytes" in figure.ours
    if figure.parameters is not None:
        assert found.parameters + moving == figure.ours.get("parameters", figure.parameters)
    for field, value in figure.ours.items():
        assert getattr(found, field) == value


@pytest.mark.parametrize("name", networks.NAMES)
def test_every_figure_names_where_it_stands_and_what_it_was_measured_on(name: str) -> None:
    for figure in networks.figures(name):
        assert figure.source
        assert (figure.top1 is None) or figure.data
        assert any(value is not None for value in (figure.size, figure.parameters, figure.top1))
