"""Pictures of networks: what they claim to show is there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tests.analysis.conftest import striped
from tests.runtime.small_models import Builder
from tflbnn import Binarization, layers, networks
from tflbnn._keras import keras, tf
from tflbnn.analysis.visualize import dreams, tensors, tradeoff, visualbackprop, weights
from tflbnn.analysis.visualize.deepdream import deep_dream
from tflbnn.analysis.visualize.drawing import Drawing, new
from tflbnn.analysis.visualize.feature_maps import bit_planes, feature_maps, pack
from tflbnn.analysis.visualize.objectives import Objective
from tflbnn.analysis.visualize.scaling import products, scaling
from tflbnn.analysis.visualize.subject import Subject
from tflbnn.analysis.visualize.sweep import Trained, sweep
from tflbnn.analysis.visualize.visualbackprop import visual_backprop
from tflbnn.data import Normalization
from tflbnn.errors import UserError
from tflbnn.runtime import Model

GREY = Normalization((127.5,), (64.0,))


@pytest.fixture(scope="module")
def untrained() -> Subject:
    keras.utils.set_random_seed(1)
    model = networks.get("binary_densenet")((12, 12, 1), 3, layers=(1, 1), growth_rate=33, first_filters=8)
    return Subject("untrained", model, GREY, ("a", "b", "c"))


def test_visualbackprop_looks_at_the_object(stripes_subject):
    pixels, _, inside = striped(60, seed=1)
    maps = visual_backprop(stripes_subject.model, stripes_subject.see(pixels))
    assert maps.shape == pixels.shape[:3]
    assert maps.min() >= 0
    assert maps.max(axis=(1, 2)) == pytest.approx(1)
    shares = (maps * inside).sum(axis=(1, 2)) / maps.sum(axis=(1, 2))
    assert inside.mean() < 0.2
    assert shares.min() > 0.8


@pytest.mark.parametrize("text", ["class:0", "class:1", "layer:stage2_layer2_conv", "filter:stage2_layer1_conv:3"])
def test_deepdream_raises_its_objective_above_noise(stripes_subject, text):
    dream = deep_dream(stripes_subject.model, Objective.parse(text), stripes_subject.normalization)
    assert dream.noises == 100
    assert dream.value - max(dream.start, dream.noise_mean) > 10 * dream.noise_deviation
    again = Objective.parse(text)
    part = keras.Model(stripes_subject.model.inputs, again.tensor(stripes_subject.model))
    assert float(again.values(part(stripes_subject.see(dream.pixels[np.newaxis])))[0]) == pytest.approx(dream.value)


def test_deepdream_raises_a_neuron(stripes_subject):
    dream = deep_dream(stripes_subject.model, Objective.parse("neuron:stage2_layer1_conv:5,7,2"), GREY)
    assert dream.value > dream.start
    assert dream.deviations > 3


def test_deepdream_repeats_itself_and_starts_from_pictures(untrained):
    start = np.full((30, 20, 1), 200, np.uint8)
    options = {"start": start, "octaves": 2, "steps": 3, "noises": 2}
    one, other = (deep_dream(untrained.model, Objective.parse("class:2"), GREY, **options) for _ in range(2))
    assert one.pixels.shape == (12, 12, 1)
    assert np.array_equal(one.pixels, other.pixels)
    still = deep_dream(untrained.model, Objective.parse("class:2"), GREY, **{**options, "steps": 0})
    assert (still.pixels == 200).all()


def test_deepdream_of_another_size_than_the_networks(untrained):
    dream = deep_dream(untrained.model, Objective.parse("class:0"), GREY, size=30, octaves=2, steps=2, noises=2)
    assert dream.pixels.shape == (30, 30, 1)
    flat = networks.get("lenet")((28, 28, 1), 10)
    with pytest.raises(UserError, match="28×28 pixels only"):
        deep_dream(flat, Objective.parse("class:0"), GREY, size=40)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("class:3", "from 0 to 2"),
        ("filter:stem_conv:8", "from 0 to 7"),
        ("neuron:stem_conv:0,12,0", "from 0 to 11"),
        ("layer:stem_con", "Did you mean 'stem_conv'"),
        ("neuron:logits:0,0,0", "row, a column"),
    ],
)
def test_refuses_objectives_that_a_network_has_not(untrained, text, message):
    with pytest.raises(UserError, match=message):
        deep_dream(untrained.model, Objective.parse(text), GREY, steps=1)


@pytest.mark.parametrize("text", ["", "class", "class:x", "class:-1", "layer:", "filter:a", "neuron:a:1,2", "pixel:3"])
def test_refuses_what_is_no_objective(text):
    with pytest.raises(UserError, match="An objective is"):
        Objective.parse(text)


@given(st.sampled_from(["class:{0}", "layer:name", "filter:name:{0}", "neuron:name:{0},{1},{2}"]), st.data())
def test_objectives_read_back_as_they_are_written(form, data):
    text = form.format(*(data.draw(st.integers(0, 10**6)) for _ in range(3)))
    assert str(Objective.parse(text)) == text


@given(
    npst.arrays(np.float32, npst.array_shapes(min_dims=1, max_dims=3, max_side=70), elements=st.floats(-1, 1, width=32))
)
def test_packed_words_hold_every_sign(values):
    words = pack(values)
    assert words.shape == (*values.shape[:-1], -(-values.shape[-1] // 32))
    bits = words[..., np.arange(values.shape[-1]) // 32] >> (np.arange(values.shape[-1]) % 32).astype(np.uint32) & 1
    assert np.array_equal(bits == 1, values < 0)
    rest = values.shape[-1] % 32
    assert not rest or (words[..., -1] >> np.uint32(rest) == 0).all()


def test_packed_words_are_the_delegates():
    builder = Builder()
    x, words = builder.tensor("x", (1, 4, 5, 33)), builder.tensor("words", (1, 4, 5, 2), "int32")
    builder.operator("LceQuantize", [x], [words])
    values = np.random.default_rng(0).normal(size=(1, 4, 5, 33)).astype(np.float32)
    with Model(builder.finish([x], [words])) as model:
        assert np.array_equal(pack(values), model.predict(values).view(np.uint32))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 2), st.sampled_from(["same", "valid"]), st.integers(0, 99))
def test_normalization_removes_what_scales_a_whole_filter(size, strides, padding, seed):
    rng = np.random.default_rng(seed)
    x = np.sign(rng.normal(size=(2, 7, 8, 5))).astype(np.float32)  # K is 1 then, but for the border
    w = rng.normal(size=(size, size, 5, 3)).astype(np.float32)
    found = products(x, w, strides, padding=padding)
    if padding == "valid":
        alpha = np.abs(w).mean(axis=(0, 1, 2))
        assert found.scaled == pytest.approx(found.binary * alpha, rel=1e-4)
    assert found.binary == pytest.approx(np.rint(found.binary))
    keras_product = layers.conv2d(Binarization(pad_values=0.0, constraint="none"), 3, size, strides, padding=padding)
    keras_product(x)
    keras_product.kernel.assign(w)
    assert found.binary == pytest.approx(keras_product(x).numpy(), abs=1e-4)
    normal = found.normalized()
    assert normal.full.mean(axis=(0, 1, 2)) == pytest.approx(0, abs=1e-4)


def test_histograms_keep_their_weights_on_other_bins():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.3, 1000)
    counts, edges = np.histogram(values, 30)
    history = np.stack([edges[:-1], edges[1:], counts], axis=1)[np.newaxis]
    shares = weights.densities(history, np.linspace(-2, 2, 41))
    assert shares.sum() == pytest.approx(1)
    expected = np.histogram(values, np.linspace(-2, 2, 41))[0] / 1000
    assert np.abs(shares[0] - expected).max() < 0.02
    equal = np.array([[[0.5, 0.5, 7.0], [0.5, 0.5, 0.0]]])
    assert weights.densities(equal, np.array([0.0, 1.0])).tolist() == [[1.0]]


def test_every_picture_of_a_network_is_drawn(stripes_subject):
    pixels, _, _ = striped(2, seed=3)
    drawings = [
        visualbackprop.draw([stripes_subject, stripes_subject], pixels, ["one", "two"]),
        dreams.draw([stripes_subject], [Objective.parse("class:0")], octaves=1, steps=1, noises=2),
        feature_maps(stripes_subject, pixels[0]),
        scaling(stripes_subject, pixels),
    ]
    if stripes_subject.name.endswith(" binary"):
        drawings.append(bit_planes(stripes_subject, pixels[0]))
    else:  # and the stem is no binary one either
        for layer in ("", "stem_conv"):
            with pytest.raises(UserError, match="binary convolution"):
                bit_planes(stripes_subject, pixels[0], layer)
    assert len({drawing.name for drawing in drawings}) == len(drawings)
    for drawing in drawings:
        assert drawing.png.startswith(b"\x89PNG")
        assert len(drawing.caption) > 60


def test_pictures_carry_their_captions(tmp_path):
    drawing = Drawing.of(new(2, 2), "name", "Title – with ±", "A caption,\n   in ½ a line.")
    read = Drawing.read(drawing.write(tmp_path / "figures"))
    assert read == drawing
    assert read.caption == "A caption, in ½ a line."
    (tmp_path / "none.png").write_bytes(b"GIF89a")
    (tmp_path / "cut.png").write_bytes(drawing.png[: len(drawing.png) // 2])
    for name in ("none.png", "cut.png", "missing.png"):
        with pytest.raises(UserError):
            Drawing.read(tmp_path / name)


def test_a_sweep_averages_over_seeds_and_needs_two_settings():
    one = [Trained(clip, "none", accuracy) for clip in (0.5, 1.0) for accuracy in (0.8, 0.9)]
    assert "Means of up to 2" in sweep(one, "a network").caption
    both = sweep([*one, Trained(0.5, "both", 0.7)], "a network")
    assert both.png != sweep(one, "a network").png
    with pytest.raises(UserError, match="two values"):
        sweep(one[:2], "a network")


def test_the_tradeoff_shows_what_is_published():
    points = tradeoff.published()
    assert len(points) > 15
    assert {point.name for point in points} <= set(networks.NAMES)
    assert tradeoff.tradeoff(points, "published").png.startswith(b"\x89PNG")


def test_sees_what_convolutions_see(untrained):
    seen = tensors.convolution_inputs(untrained.model)
    names = [layer.name for layer, _ in seen]
    assert names[0] == "stage1_layer1_conv"
    assert "stem_conv" not in names
    images = np.random.default_rng(0).normal(size=(2, 12, 12, 1)).astype(np.float32)
    values = tensors.values(untrained.model, [tensor for _, tensor in seen], images)
    for (layer, _), value in zip(seen, values, strict=True):
        assert value.shape[1:] == layer.get_input_at(0).shape[1:]
    logits, probabilities = tensors.values(
        untrained.model, [tensors.logits(untrained.model), untrained.model.output], images
    )
    assert tf.nn.softmax(logits).numpy() == pytest.approx(probabilities, abs=1e-5)
