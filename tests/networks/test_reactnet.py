import numpy as np
import pytest

from tests.networks.residual_networks import imagenet_counts, loss_of_one_step, operators, small
from tflbnn import networks
from tflbnn._keras import keras, tf
from tflbnn.converter import convert


def test_it_is_bi_real_net_with_shifts() -> None:
    counted, plain = imagenet_counts("reactnet18"), imagenet_counts("bi_real_net18")
    assert counted.parameters == plain.parameters + 3_392 + 3 * 3_840 == 11_704_424
    assert counted.size_bytes / 2**20 == pytest.approx(4.05, abs=0.005)
    assert counted.binary_macs == plain.binary_macs
    assert counted.full_precision_macs == plain.full_precision_macs
    published = counted.full_precision_macs - 512_000 + counted.binary_macs / 64
    assert published == pytest.approx(1.63e8, abs=0.005e8)


def test_a_shift_moves_the_sign_and_stays_out_of_the_shortcut() -> None:
    model = small(networks.reactnet18)
    rsign, conv, add = (model.get_layer(f"stage1_block2_{part}") for part in ("rsign", "conv", "add"))
    rsign.shift.assign(np.linspace(-2, 2, 8))
    x = model.get_layer("stage1_block1_rprelu").output
    parts = keras.Model(model.input, [x, conv.output, model.get_layer("stage1_block2_norm").output, add.output])
    images = np.random.default_rng(0).normal(size=(2, 6, 6, 3)).astype(np.float32)
    x, convolved, normed, added = parts(images)
    signs = np.where(x.numpy() + rsign.shift.numpy() >= 0, 1, -1).astype(np.float32)
    bordered = np.pad(signs, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=1)
    kernel = conv.kernel_quantizer(tf.constant(conv.get_weights()[0]))
    np.testing.assert_allclose(convolved, tf.nn.conv2d(bordered, kernel, 1, "VALID"), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(added, normed + x, rtol=1e-6)


def test_rprelu_becomes_prelu_and_rsign_an_addition() -> None:
    model = small(networks.reactnet18)
    for layer in model.layers:  # nothing that could be left out
        if type(layer).__name__ in ("RSign", "RPReLU"):
            layer.set_weights([np.random.default_rng(0).normal(size=w.shape) for w in layer.weights])
    loss_of_one_step(model)
    became = operators(model)
    assert became["stage1_block1_rsign"] == ("ADD",)
    assert became["stage1_block1_rprelu"] == ("ADD", "PRELU")
    assert convert(model).report.verification["verified"]
