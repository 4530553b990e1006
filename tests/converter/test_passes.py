"""Passes: their order, and the removal of what is dead."""

import numpy as np

from tests.converter.models import small
from tflbnn.converter import passes
from tflbnn.converter.graph import Graph
from tflbnn.converter.lower import lower
from tflbnn.converter.passes import remove_dead
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


class TestRemoveDead:
    def test_what_nobody_uses_goes_and_the_rest_computes_the_same(self):
        original = lower(small())
        samples = np.random.default_rng(0).normal(size=(2, 10, 9, 3)).astype(np.float32)
        graph = with_dead_parts(original)
        check_model(graph.pack())
        clean = Graph(original)
        matches, _ = remove_dead.rewrite(clean)
        removed, notes = remove_dead.rewrite(graph)
        assert removed == matches + 4  # the tensor and the three buffers
        assert notes[0] == "1 tensors"
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
        assert remove_dead.rewrite(graph)[0] == 0
        assert graph.pack() == before

    def test_metadata_keeps_its_buffers(self):
        graph = Graph(lower(small()))
        remove_dead.rewrite(graph)
        entry = graph.model.metadata[0]
        assert entry.name == b"min_runtime_version"
        assert bytes(graph.model.buffers[entry.buffer].data).rstrip(b"\0").replace(b".", b"").isdigit()
