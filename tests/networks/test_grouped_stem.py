"""The stem of grouped convolutions, in the networks that have it as a choice."""

import numpy as np
import pytest

from tflbnn import networks
from tflbnn._keras import keras, tf
from tflbnn.analysis.counts import counts
from tflbnn.analysis.counts_tflite import counts_tflite
from tflbnn.binarization import Binarization
from tflbnn.converter import convert
from tflbnn.networks import _blocks

# Published: f + b/64 without the classifier, with a 7×7 stem and with the grouped one.
OPERATIONS = {
    "binary_densenet28": (2.58e8, 2.09e8),
    "resnet_e18": (1.63e8, 1.14e8),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_drop_as_published(name: str) -> None:
    found = {}
    for stem in ("imagenet", "grouped"):
        model = networks.get(name)((224, 224, 3), stem=stem)
        counted = counts(model)
        classifier = model.get_layer("logits").kernel.shape.num_elements()
        found[stem] = counted.full_precision_macs
        published = OPERATIONS[name][stem == "grouped"]
        operations = counted.full_precision_macs - classifier + counted.binary_macs / 64
        assert operations == pytest.approx(published, abs=0.006e8)
    grouped = 112**2 * 9 * (3 * 32 + 8 * 32 + 4 * 64)
    assert found["imagenet"] - found["grouped"] == 112**2 * 49 * 3 * 64 - grouped == 49_373_184


def test_a_group_sees_its_own_channels_only() -> None:
    image = keras.Input((16, 16, 3))
    model = keras.Model(image, _blocks.grouped_stem(image, Binarization(), 32))
    for layer, groups in (("stem_grouped_conv1", 4), ("stem_grouped_conv2", 8)):
        conv = model.get_layer(layer)
        channels = conv.input_shape[-1]
        assert conv.kernel.shape == (3, 3, channels // groups, conv.filters)
        x = tf.ones((1, 4, 4, channels))
        for changed in range(channels):
            difference = conv(x) - conv(x + tf.one_hot(changed, channels))
            touched = np.flatnonzero(np.abs(difference.numpy()).max(axis=(0, 1, 2)) > 1e-6)
            assert set(touched * groups // conv.filters) == {changed * groups // channels}


@pytest.mark.parametrize("binarization", [Binarization(), Binarization(first="binary"), Binarization.float32()])
def test_it_converts_and_is_counted_alike(binarization: Binarization) -> None:
    keras.utils.set_random_seed(1)
    model = networks.resnet_e18((16, 16, 3), 3, binarization, layers=(1, 1), filters=(32, 33), stem="grouped")
    conversion = convert(model)
    assert conversion.report.verification["verified"]
    from_keras, from_file = counts(model), counts_tflite(conversion.flatbuffer)
    assert from_file.full_precision_macs == from_keras.full_precision_macs
    assert from_file.binary_macs == from_keras.binary_macs


def test_its_filters_stay_a_multiple_of_16() -> None:
    for width, filters in ((0.1, 16), (0.5, 32), (0.6, 32), (1.0, 64)):
        model = networks.meliusnet22((32, 32, 3), 10, layers=(1, 1), reduction=(2,), width=width)
        assert model.get_layer("stem_grouped_conv2").filters == filters
