"""SSDs: their boxes, their sizes, every image that fits, every binarization of the last layers, wrong arguments."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.analysis.counts import counts
from tflbnn.binarization import Binarization
from tflbnn.converter import convert
from tflbnn.detection import losses
from tflbnn.errors import UserError
from tflbnn.networks.ssd import box_sizes

SMALL = {"layers": (1, 1), "growth_rate": 8, "first_filters": 8, "reduction": (2.0,), "extra_layers": 1}


def small(side=(32, 32), classes=2, binarization=Binarization(), **knobs):  # noqa: B008
    keras.utils.set_random_seed(0)
    return networks.get("ssd_binary_densenet")((*side, 3), classes, binarization, **{**SMALL, **knobs})


@pytest.mark.parametrize(
    ("name", "base", "size"),
    [
        ("ssd512_binary_densenet37", "binary_densenet37", 21.51),
        ("ssd512_binary_densenet45", "binary_densenet45", 26.03),
    ],
)
def test_the_papers_form(name, base, size):
    model = networks.get(name)((512, 512, 3))
    cells = [(32, 4), (16, 6), (8, 6), (4, 6), (2, 4), (1, 4)]
    boxes = sum(side**2 * number for side, number in cells)
    assert boxes == 6132
    assert model.output_shape == [(None, boxes, 21), (None, boxes, 4)]
    assert model.default_boxes.shape == (boxes, 4)
    assert [figure.top1 for figure in networks.figures(name)] in ([66.4], [68.2])
    # The base's layers are the classifier's, but for what follows the last stage.
    own = {layer.name: layer.output_shape[-1] for layer in model.layers}
    theirs = networks.get(base)((32, 32, 3))
    shared = [layer for layer in theirs.layers if layer.name.startswith(("stem", "stage", "transition"))]
    assert all(own[layer.name] == layer.output_shape[-1] for layer in shared)
    assert counts(model).size_bytes / 2**20 == pytest.approx(size, rel=0.001)


@settings(deadline=None, max_examples=5)
@given(
    extra=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    stem=st.sampled_from(["cifar", "imagenet"]),
    base_scales=st.integers(1, 2),
    extra_scales=st.integers(0, 3),
    classes=st.integers(1, 4),
)
def test_any_image_gives_a_prediction_for_every_default_box(extra, stem, base_scales, extra_scales, classes):
    smallest = 8 if stem == "imagenet" else 2
    side = (smallest + extra[0], smallest + extra[1])
    model = small(side, classes, stem=stem, base_scales=base_scales, extra_scales=extra_scales)
    probabilities, offsets = model(np.zeros((2, *side, 3), np.float32))
    assert probabilities.shape == (2, len(model.default_boxes), classes + 1)
    assert offsets.shape == (2, len(model.default_boxes), 4)
    np.testing.assert_allclose(probabilities.numpy().sum(axis=2), 1, rtol=1e-5)
    assert np.isfinite(model.default_boxes).all()
    assert (model.default_boxes > 0).all()


@pytest.mark.parametrize(
    "binarization",
    [
        Binarization(),
        Binarization.float32(),
        Binarization(first="binary", last="binary", downsampling="binary"),
    ],
    ids=["default", "float32", "all binary"],
)
def test_trains_a_step_and_converts(binarization):
    model = small((16, 16), binarization=binarization, stem="cifar", extra_scales=1)
    model.compile("sgd", loss={"probabilities": losses.confidence, "boxes": losses.localization})
    rng = np.random.default_rng(0)
    number = len(model.default_boxes)
    targets = {"probabilities": rng.integers(0, 3, (4, number)), "boxes": rng.normal(size=(4, number, 5))}
    images = rng.normal(size=(4, 16, 16, 3)).astype(np.float32)
    assert np.isfinite(model.train_on_batch(images, targets)[0])
    found = convert(model).report
    assert found.verification["verified"]
    assert not [row.layer for row in found.explain if row.left_in_float]
    binary = 0 if not binarization.is_binary else 3 + 2 * 3 * (binarization.last == "binary")
    binary += 2 * (binarization.downsampling == "binary") + (binarization.first == "binary")
    assert found.verification["binary_layers"] == binary


@pytest.mark.parametrize("scales", range(1, 9))
def test_sizes_of_boxes_grow(scales):
    sizes = box_sizes(scales)
    assert len(sizes) == scales + 1
    assert (np.diff(sizes) > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"side": (7, 32)}, "at least 8×8 pixels"),
        ({"classes": 0}, "classes must be an integer of at least 1"),
        ({"growth_rate": 0}, "growth_rate must be"),
        ({"layers": ()}, "layers must hold"),
        ({"reduction": (2.0, 2.0)}, "must hold 1 number"),
        ({"base_scales": 0}, "base_scales must be an integer of at least 1"),
        ({"base_scales": 3}, "at most the number of stages. Received: base_scales=3 for 2 stages. Use 2."),
        ({"extra_scales": -1}, "extra_scales must be an integer of at least 0"),
        ({"extra_layers": 0}, "extra_layers must be"),
        ({"sizes": (0.1, 0.2)}, "sizes .* must hold 5 numbers"),
        ({"sizes": (0.1, 0.3, 0.2, 0.5, 0.9)}, "sizes must grow"),
        ({"sizes": (0.0, 0.1, 0.2, 0.5, 0.9)}, "every size of boxes must be"),
        ({"sizes": (0.1, 0.2, 0.3, 0.5, 90.0)}, "sizes must grow and be at most 2"),
        ({"stem": "voc"}, "stem must be one of"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(UserError, match=message):
        small(**arguments)
