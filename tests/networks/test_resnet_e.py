import pytest

from tests.networks.residual_networks import imagenet_counts, small
from tflbnn import networks
from tflbnn._keras import keras
from tflbnn.errors import UserError


def test_parameters_are_larq_zoos() -> None:
    counted = imagenet_counts("resnet_e18")
    assert counted.parameters + counted.moving_statistics == 11_699_368
    assert counted.binary_weights == imagenet_counts("bi_real_net18").binary_weights
    assert counted.binary_macs == imagenet_counts("bi_real_net18").binary_macs


def test_a_shortcut_goes_around_every_convolution() -> None:
    model = networks.resnet_e34((32, 32, 3), 10, stem="cifar", width=0.1)
    assert sum(isinstance(layer, keras.layers.Add) for layer in model.layers) == 32
    assert sum(layer.name.endswith("_shortcut_conv") for layer in model.layers) == 3


def test_no_sign_follows_a_relu() -> None:
    for stem in ("cifar", "imagenet", "grouped"):
        model = small(networks.resnet_e18, input_shape=(8, 8, 3), filters=(16, 32), stem=stem)
        first = model.get_layer("stage1_block1_conv").inbound_nodes[0].inbound_layers
        assert first.name == ("stem_conv" if stem == "cifar" else "stem_pool_norm")


@pytest.mark.parametrize(
    ("filters", "message"),
    [((40, 64), "multiple of 16 filters.* Received: 40. Use 48"), ((-16, 64), "Received: -16")],
)
def test_a_grouped_stem_needs_a_multiple_of_16_filters(filters: tuple[int, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        small(networks.resnet_e18, filters=filters, stem="grouped")
