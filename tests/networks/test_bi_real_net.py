import pytest

from tests.networks.residual_networks import imagenet_counts, small
from tflbnn import networks
from tflbnn._keras import lq


def test_parameters_are_larq_zoos() -> None:
    counted = imagenet_counts("bi_real_net18")
    assert counted.parameters + counted.moving_statistics == 11_699_112
    assert counted.binary_weights == 10_985_472
    assert counted.size_bytes == pytest.approx(networks.figures("bi_real_net18")[0].size_bytes, rel=0.002)
    assert counted.size_bytes * 8 == pytest.approx(33.6e6, rel=0.003)  # the paper's


def test_operations_are_those_of_the_layers() -> None:
    counted = imagenet_counts("bi_real_net18")
    # Later stages have half the side and twice the channels, but begin with half of these.
    assert counted.binary_macs == 56**2 * 9 * 64**2 * (4 + 3 * 3.5)
    shortcuts = 28**2 * 64 * 128 + 14**2 * 128 * 256 + 7**2 * 256 * 512
    assert counted.full_precision_macs == 112**2 * 49 * 3 * 64 + shortcuts + 512_000


def test_its_own_binarization_is_the_default() -> None:
    layer = small(networks.bi_real_net18).get_layer("stage1_block1_conv")
    assert isinstance(layer.input_quantizer, lq.quantizers.ApproxSign)
    assert isinstance(layer.kernel_quantizer, lq.quantizers.MagnitudeAwareSign)
    assert layer.kernel_quantizer.clip_value == layer.kernel_constraint.clip_value == 1


def test_a_shortcut_goes_around_every_convolution() -> None:
    names = [layer.name for layer in small(networks.bi_real_net18).layers]
    assert [name for name in names if name.endswith("_add")] == [
        "stage1_block1_add",
        "stage1_block2_add",
        "stage2_block1_add",
    ]
    assert [name for name in names if "shortcut" in name] == [
        f"stage2_block1_shortcut_{part}" for part in ("pool", "conv", "norm")
    ]
