"""Metadata: round trips, agreement with TFLite's own writer, damage, the checksum."""

import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime import small_models
from tflbnn.errors import UserError
from tflbnn.runtime import Model
from tflbnn.runtime.check import check_model
from tflbnn.runtime.flatbuffer import pack, unpack
from tflbnn.runtime.metadata import Metadata, add_metadata, read_metadata, seal
from tflbnn.runtime.schemas import METADATA, METADATA_IDENTIFIER
from tflbnn.runtime.tables import decode

# A model with metadata written by tflite-support 0.4.4, TensorFlow's own package, from the generated schema.
FOREIGN = Path(__file__).parent / "files" / "metadata_by_tflite_support_0.4.4.tflite"
FOREIGN_METADATA = Metadata(
    name="Golden",
    description="Written by tflite-support",
    version="v2",
    author="someone",
    license="Apache-2.0",
    labels=("cat", "dog", "ü"),
    mean=(1.5, 2.5, 3.5),
    std=(10.0, 20.0, 30.0),
)
FULL = Metadata(
    name="digits",
    labels=("no", "perhaps", "yes"),
    mean=(127.5,),
    std=(64.0,),
    resized=(6, 5),
    recipe={"name": "digits", "epochs": 3, "nested": {"t_clip": 1.3}},
    accuracy=0.97,
    versions={"tflbnn": "0.1.0"},
)


def standard(file: bytes) -> dict:
    model = unpack(file)
    entry = next(entry for entry in model.metadata if entry.name == b"TFLITE_METADATA")
    return decode(METADATA, "ModelMetadata", bytes(model.buffers[entry.buffer].data), METADATA_IDENTIFIER)


def plain(value):
    """Arrays as lists, so that trees compare."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


class TestForeign:
    def test_what_tflites_own_writer_wrote_is_read(self):
        assert read_metadata(FOREIGN.read_bytes()) == FOREIGN_METADATA

    def test_the_same_is_written(self):
        theirs = plain(standard(FOREIGN.read_bytes()))
        ours = plain(standard(add_metadata(small_models.doubling(), FOREIGN_METADATA)))
        for graph in (theirs["subgraph_metadata"][0], ours["subgraph_metadata"][0]):
            (image,), (output,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
            # Free text differs, and theirs leaves the size out.
            for tensor in (image, output, *output["associated_files"]):
                tensor.pop("name"), tensor.pop("description")
            image["content"]["content_properties"].pop("default_size")
        assert theirs == ours


class TestRoundTrip:
    def test_everything(self):
        file = add_metadata(small_models.doubling(), FULL)
        check_model(file)
        assert read_metadata(file) == FULL

    @given(
        st.builds(
            Metadata,
            name=st.text(max_size=20),
            description=st.text(max_size=20),
            labels=st.sampled_from([(), ("a", "b", "c"), ("ä", "日本", "x y")]),
            recipe=st.none() | st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3),
            accuracy=st.none() | st.floats(0, 1),
            versions=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        )
    )
    @settings(max_examples=50, deadline=None)
    def test_any_text(self, metadata):
        file = add_metadata(small_models.doubling(), metadata)
        check_model(file)
        assert read_metadata(file) == metadata

    def test_written_twice_it_is_the_same_file(self):
        file = add_metadata(small_models.doubling(), FULL)
        assert add_metadata(file, FULL) == file
        other = Metadata(name="other")
        assert add_metadata(file, other) == add_metadata(add_metadata(small_models.doubling(), other), other)
        assert read_metadata(add_metadata(file, other)) == other

    def test_the_model_computes_as_before(self):
        x = np.random.default_rng(0).normal(size=(1, 4, 5, 3)).astype(np.float32)
        np.testing.assert_array_equal(Model(add_metadata(small_models.doubling(), FULL)).predict(x), 2 * x)

    def test_a_model_without_any(self):
        assert read_metadata(small_models.doubling()) is None

    def test_labels_are_in_an_archive_that_unzip_knows(self):
        with zipfile.ZipFile(BytesIO(add_metadata(small_models.doubling(), FULL))) as archive:
            assert archive.namelist() == ["labels.txt"]
            assert archive.infolist()[0].compress_type == zipfile.ZIP_STORED
            assert archive.read("labels.txt") == b"no\nperhaps\nyes\n"

    @pytest.mark.parametrize(("channels", "color"), [(1, 2), (3, 1), (4, None)], ids=["grey", "rgb", "features"])
    def test_the_kind_of_input(self, channels, color):
        file = add_metadata(small_models.doubling((1, 4, 5, channels)), Metadata())
        content = standard(file)["subgraph_metadata"][0]["input_tensor_metadata"][0]["content"]["content_properties"]
        assert content.get("color_space") == color
        assert content.get("default_size") == ({"width": 5, "height": 4} if color else None)
        assert read_metadata(file).input_kind == ("image" if color else "feature")


class TestRefused:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"labels": ("a", "")}, "A label must be one line"),
            ({"labels": ("a", "b\nc")}, r"Received: 'b\\nc'"),
            ({"mean": (1.0,)}, "belong together"),
            ({"resized": (0, 4)}, "sides from 1 to 4096"),
            ({"resized": (4, 5000)}, "sides from 1 to 4096"),
            ({"mean": (1.0,), "std": (0.0,)}, "std above 0"),
            ({"mean": (float("nan"),), "std": (1.0,)}, "mean must be finite"),
        ],
    )
    def test_values(self, arguments, message):
        with pytest.raises(UserError, match=message):
            Metadata(**arguments)

    def test_labels_for_another_number_of_outputs(self):
        with pytest.raises(UserError, match=r"3 outputs. Received: 2 labels"):
            add_metadata(small_models.doubling(), Metadata(labels=("a", "b")))

    def test_less_than_the_window(self):
        with pytest.raises(UserError, match=r"window must fit into .* \(6, 4\) for an input of shape \(1, 4, 5, 3\)"):
            add_metadata(small_models.doubling(), Metadata(resized=(6, 4)))

    def test_normalization_for_another_number_of_channels(self):
        with pytest.raises(UserError, match="mean must have"):
            add_metadata(small_models.doubling(), Metadata(mean=(1.0, 2.0), std=(1.0, 2.0)))


class TestDamage:
    def changed(self, name: bytes, content: bytes) -> bytes:
        model = unpack(add_metadata(small_models.doubling(), FULL))
        entry = next(entry for entry in model.metadata if entry.name == name)
        model.buffers[entry.buffer].data = np.frombuffer(content, np.uint8)
        return seal(pack(model))

    @pytest.mark.parametrize(
        "content",
        [
            b"{",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b"[" * 100_000,
            b'{"recipe": 1, "accuracy": null, "versions": {}}',
            b'{"recipe": null, "accuracy": "high", "versions": {}}',
            b'{"recipe": null, "accuracy": null, "versions": {}, "resized": [8, "8"]}',
            b'{"recipe": null, "accuracy": null, "versions": {}, "resized": 8}',
        ],
    )
    def test_a_broken_recipe(self, content):
        file = self.changed(b"TFLBNN_RECIPE", content)
        check_model(file)
        with pytest.raises(UserError, match="metadata is damaged"):
            read_metadata(file)

    @given(st.binary(min_size=1, max_size=200), st.booleans())
    @settings(max_examples=100, deadline=None)
    def test_broken_standard_metadata(self, content, start_well):
        if start_well:
            content = b"\x10\x00\x00\x00M001" + content
        with pytest.raises(UserError, match="metadata is damaged"):
            read_metadata(self.changed(b"TFLITE_METADATA", content))

    def test_a_cut_archive(self):
        file = add_metadata(small_models.doubling(), FULL)
        with pytest.raises(UserError, match=r"metadata is damaged: the label file labels\.txt cannot be read"):
            read_metadata(file[:-30])

    def test_an_archive_that_unpacks_to_too_much(self):
        model = add_metadata(small_models.doubling(), Metadata())
        bomb = BytesIO(add_metadata(model, FULL)[: -len(self._archive())])
        with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("labels.txt", b"\n" * (20 << 20))
        with pytest.raises(UserError, match="larger than 16 MiB"):
            read_metadata(bomb.getvalue())

    def _archive(self) -> bytes:
        file = add_metadata(small_models.doubling(), FULL)
        return file[file.index(b"PK\x03\x04") :]

    @given(st.data())
    @settings(max_examples=50, deadline=None)
    def test_any_changed_byte_breaks_the_checksum(self, data):
        file = bytearray(add_metadata(small_models.doubling(), FULL))
        position = data.draw(st.integers(0, len(file) - 1))
        file[position] ^= data.draw(st.integers(1, 255))
        with pytest.raises(UserError):
            check_model(bytes(file))
