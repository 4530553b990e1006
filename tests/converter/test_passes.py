"""Passes: their order, and the removal of what is dead."""

import numpy as np
import pytest

from tests.converter.models import L, binary_conv, binary_dense, small
from tests.runtimes import predict_keras
from tflbnn._keras import keras, lq
from tflbnn.converter import passes
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.passes import remove_dead
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.check import check_model
from tflbnn.runtime.flatbuffer import schema


def with_dead_parts(flatbuffer: bytes) -> Graph:
    """A graph with a tensor in front that nobody uses, its buffer, an empty buffer and one for nobody."""
    graph = Graph(flatbuffer)
    model, main = graph.model, graph.main
    dead = schema.TensorT()
    dead.name, dead.shape, dead.buffer = "dead", np.array([2], np.int32), len(model.buffers)
    for content in (np.zeros(8, np.uint8), None, np.ones(100, np.uint8)):
        buffer = schema.BufferT()
        buffer.data = content
        model.buffers.append(buffer)
    main.tensors.insert(0, dead)
    for owner in (main, *main.operators):
        for name in ("inputs", "outputs"):
            indices = np.array(getattr(owner, name))
            setattr(owner, name, np.where(indices < 0, indices, indices + 1).astype(np.int32))
    for entry in (*model.signatureDefs[0].inputs, *model.signatureDefs[0].outputs):
        entry.tensorIndex += 1
    return graph


def test_every_pass_reports():
    reports = passes.run(Graph(lower(small())))
    assert [report.name for report in reports] == list(passes.PASSES)
    assert list(passes.PASSES)[-1] == "remove_dead"  # whatever a pass replaces is dead


def test_the_order_keeps_every_after():
    names = list(passes.PASSES)
    for name, module in passes.PASSES.items():
        for earlier in getattr(module, "AFTER", ()):
            assert names.index(earlier) < names.index(name), f"{name} must come after {earlier}"


def flatbuffer_in_order(model, *names: str) -> Graph:
    """The graph after these passes only, in this order."""
    graph = Graph(lower(model))
    passes.run(graph, order={name: passes.PASSES[name] for name in names})
    return graph


class TestAfter:
    """What goes wrong where a pass runs before one that it names in AFTER."""

    def test_removing_leaves_what_a_later_pass_makes_dead(self):
        image = L.Input((33,))
        model = keras.Model(image, binary_dense(5)(image))
        for name in ("binary_dense", "binary_conv2d", "binary_transpose_conv", "merge_constants"):
            assert name in remove_dead.AFTER
        wrong = flatbuffer_in_order(model, "remove_dead", "binary_dense")
        right = flatbuffer_in_order(model, "binary_dense", "remove_dead")
        assert len(wrong.operators) > len(right.operators)
        assert not right.of_kind("FULLY_CONNECTED")
        assert not right.of_kind("LceDequantize")

    def test_merging_misses_the_constants_of_a_later_pass(self):
        image = L.Input((6, 6, 8))
        conv = binary_conv(8, input_quantizer=lq.quantizers.DoReFa(2), pad_values=0.0)
        model = keras.Model(image, conv(conv(image)))
        sizes = [
            len(flatbuffer_in_order(model, *order, "remove_dead").pack())
            for order in (("merge_constants", "binary_conv2d"), ("binary_conv2d", "merge_constants"))
        ]
        assert sizes[0] > sizes[1]

    def test_reshapes_are_opened_before_they_are_part_of_a_pattern(self):
        image = L.Input((4, 8))
        x = L.Reshape((32,))(lq.quantizers.SteSign()(image))
        model = keras.Model(image, binary_dense(5, input_quantizer=None)(x))
        graph = flatbuffer_in_order(model, "open_reshapes", "binary_dense", "remove_dead")
        samples = np.random.default_rng(0).normal(size=(3, 4, 8)).astype(np.float32)
        np.testing.assert_allclose(Model(graph.pack()).predict(samples), predict_keras(model, samples)[0], atol=1e-5)


class TestDumps:
    def test_a_text_after_each_pass(self, tmp_path):
        reports = passes.run(Graph(lower(small())), tmp_path / "new" / "folder")
        files = sorted((tmp_path / "new" / "folder").iterdir())
        assert [file.stem for file in files] == [f"{n:02}-{name}" for n, name in enumerate(["lowered", *passes.PASSES])]
        first = files[0].read_text().splitlines()
        assert first[0] == "'image' float32 1x10x9x3 -> 'probabilities' float32 1x4"
        assert any("LceBconv2d('second' int32 1x8x7x1, constant" in line for line in first)
        assert len(reports) == len(files) - 1

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").write_text("")
        with pytest.raises(UserError, match="Cannot make the folder"):
            passes.run(Graph(lower(small())), tmp_path / "file")


class TestRemoveDead:
    def test_what_nobody_uses_goes_and_the_rest_computes_the_same(self):
        original = lower(small())
        samples = np.random.default_rng(0).normal(size=(2, 10, 9, 3)).astype(np.float32)
        graph = with_dead_parts(original)
        check_model(graph.pack())
        clean = Graph(original)
        matched = remove_dead.rewrite(clean).matched
        (buffers,) = (int(text.split()[0]) for text in matched if "buffers" in text)
        assert remove_dead.rewrite(graph).matched == ["1 tensors", f"{buffers + 3} buffers"]
        assert graph.pack() == clean.pack()
        check_model(graph.pack())
        np.testing.assert_array_equal(Model(graph.pack()).predict(samples), Model(original).predict(samples))

    def test_computed_tensors_share_the_one_empty_buffer(self):
        graph = Graph(lower(small()))
        assert sum(buffer.data is None for buffer in graph.model.buffers) > 5
        remove_dead.rewrite(graph)
        assert [buffer.data is None for buffer in graph.model.buffers].count(True) == 1
        assert graph.model.buffers[0].data is None
        for operator in graph.operators:
            assert all(graph.main.tensors[index].buffer == 0 for index in operator.outputs)

    def test_a_second_time_it_finds_nothing(self):
        graph = Graph(lower(small()))
        remove_dead.rewrite(graph)
        before = graph.pack()
        assert not remove_dead.rewrite(graph).matched
        assert graph.pack() == before

    def test_metadata_keeps_its_buffers(self):
        graph = Graph(lower(small()))
        remove_dead.rewrite(graph)
        entry = graph.model.metadata[0]
        assert entry.name == b"min_runtime_version"
        assert bytes(graph.model.buffers[entry.buffer].data).rstrip(b"\0").replace(b".", b"").isdigit()
