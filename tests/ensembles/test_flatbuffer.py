"""Members in one file: what they share, how they vote, where it runs, and what is refused."""

import numpy as np
import pytest

from tflbnn._keras import keras
from tflbnn.binarization import Binarization
from tflbnn.converter import convert
from tflbnn.converter.ensemble import convert_ensemble, members_of, verify_ensemble
from tflbnn.converter.graph import Graph
from tflbnn.converter.merging import merge
from tflbnn.ensembles.voting import RULES, vote
from tflbnn.errors import UserError, VerificationError
from tflbnn.layers import conv2d, dense
from tflbnn.runtime import Model

ALL_BINARY = Binarization(t_clip=1.0)


def member(seed: int, first: str = "binary", classes: int = 4, softmax: bool = True, side: int = 6):
    keras.utils.set_random_seed(seed)
    image = keras.Input((side, side, 1), name="image")
    make = conv2d(ALL_BINARY, 8, 3, name="conv1") if first == "binary" else keras.layers.Conv2D(8, 3, padding="same")
    x = keras.layers.BatchNormalization()(make(image))
    x = conv2d(ALL_BINARY, 8, 3, name="conv2")(x)
    x = keras.layers.Flatten()(keras.layers.BatchNormalization()(x))
    x = dense(ALL_BINARY, classes, use_bias=True, name="logits")(x)
    x = x if not softmax else keras.layers.Activation("softmax", name="probabilities")(x * 0.1)
    model = keras.Model(image, x, name="small")
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    model(np.random.default_rng(seed).standard_normal((32, side, side, 1)).astype(np.float32), training=True)
    return model


IMAGES = np.random.default_rng(7).standard_normal((21, 6, 6, 1)).astype(np.float32)


@pytest.fixture(scope="module")
def members():
    return [member(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def files(members):
    return [convert(model, verify=False).flatbuffer for model in members]


@pytest.mark.parametrize("rule", RULES)
def test_the_file_says_what_the_keras_members_say_together(rule, members, files):
    models = [member(seed, softmax=False) for seed in range(3)] if rule == "additive" else members
    weights = [1.0, 1.0, 1.0] if rule == "additive" else [0.5, 0.2, 0.4]
    content = convert_ensemble(models, rule, weights, samples=IMAGES).flatbuffer
    expected = vote([model.predict(IMAGES, verbose=0) for model in models], rule, weights)
    with Model(content) as ensemble:
        for batch in (IMAGES, IMAGES[:1], IMAGES[:0]):
            np.testing.assert_allclose(ensemble.predict(batch), expected[: len(batch)], atol=2e-6)
        np.testing.assert_array_equal(ensemble.predict(IMAGES).argmax(axis=1), expected.argmax(axis=1))


def test_it_runs_in_lces_own_interpreter(members):
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    content = convert_ensemble(members, "hard", verify=False).flatbuffer
    with Model(content) as ensemble:
        expected = ensemble.predict(IMAGES[:3])
    theirs = Interpreter(content)
    for image, votes in zip(IMAGES[:3], expected, strict=True):
        np.testing.assert_allclose(theirs.predict(image[np.newaxis]), votes[np.newaxis], atol=1e-6)


def test_equal_inputs_are_quantized_once(files):
    graph = Graph(merge(files, "mean", [1 / 3] * 3))
    image = int(graph.main.inputs[0])
    assert [graph.kind(operator) for operator in graph.consumers()[image]] == ["LceQuantize"]
    floats = [convert(member(seed, first="float32"), verify=False).flatbuffer for seed in range(2)]
    other = Graph(merge(floats, "mean", [0.5, 0.5]))
    assert len(other.consumers()[int(other.main.inputs[0])]) == 2  # nothing is the same there


def test_a_member_that_is_there_twice_is_computed_once(files):
    once, twice = (Graph(merge(list(some), "mean", [1 / len(some)] * len(some))) for some in (files[:1], files[:1] * 2))
    assert len(once.of_kind("LceBconv2d")) == len(twice.of_kind("LceBconv2d"))


def test_members_are_signatures_that_share_their_buffers(members, files):
    content = merge(files, "mean", [1 / 3] * 3)
    with Model(content) as ensemble:
        assert ensemble.signatures == ["serving_default", "member_01", "member_02", "member_03"]
        assert ensemble.ensemble.weights == (1 / 3,) * 3
    graph = Graph(content)
    assert len(graph.model.subgraphs) == 4
    data = [bytes(buffer.data) for buffer in graph.model.buffers if buffer.data is not None and len(buffer.data)]
    assert len(data) == len(set(data))
    for alone, model in zip(members_of(content), members, strict=True):
        with Model(alone) as one:
            np.testing.assert_allclose(one.predict(IMAGES), model.predict(IMAGES, verbose=0), atol=1e-5)


def test_many_members_are_smaller_than_as_many_files(files):
    many = [convert(member(seed), verify=False).flatbuffer for seed in range(8)]
    assert len(merge(many, "hard", [1 / 8] * 8)) < 8 * len(many[0])


@pytest.mark.parametrize("rule", ["hard", "mean"])
def test_early_exit_labels_as_all_members_do(rule, members):
    content = convert_ensemble(members, rule, verify=False).flatbuffer
    with Model(content) as whole, Model(content, early_exit=True) as early:
        labels = whole.predict(IMAGES).argmax(axis=1)
        np.testing.assert_array_equal(early.predict(IMAGES).argmax(axis=1), labels)
        assert early.asked.shape == (len(IMAGES),)
        assert early.asked.min() >= 1
        assert early.asked.max() <= 3
        if rule == "hard":  # two who agree decide
            assert early.asked.min() == 2
        assert early.predict(IMAGES[:0]).shape == (0, 4)


def test_early_exit_needs_votes_that_can_be_counted(members, files):
    with pytest.raises(UserError, match=r"Early exit needs an ensemble.*Received: a model that is no ensemble"):
        Model(files[0], early_exit=True)
    with pytest.raises(UserError, match=r"Received: votes that are geometric"):
        Model(merge(files, "geometric", [1 / 3] * 3), early_exit=True)


def test_members_must_fit_together(members, files):
    other = convert(member(0, classes=5), verify=False).flatbuffer
    with pytest.raises(UserError, match=r"Received: member 2, with"):
        merge([files[0], other], "hard", [0.5, 0.5])
    with pytest.raises(UserError, match=r"Each of 3 members needs a weight"):
        convert_ensemble(members, "hard", [1.0])


def test_a_wrong_member_is_found_and_named(members, files):
    content = merge([files[0], files[2], files[1]], "mean", [1 / 3] * 3)
    with pytest.raises(VerificationError, match=r"Member 2: "):
        verify_ensemble(members, content, IMAGES)
    found = verify_ensemble(members, merge(files, "mean", [1 / 3] * 3), IMAGES)
    assert (found["members"], found["mismatches"], found["same_labels"]) == (3, 0, 1.0)
    assert found["layers"][0]["layer"].startswith("member_01/")


def test_a_damaged_description_is_refused(files):
    content = merge(files, "mean", [1 / 3] * 3)
    with pytest.raises(UserError, match=r"damaged"):
        Model(content.replace(b'"rule": "mean"', b'"rule": "mood"'))
