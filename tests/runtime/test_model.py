"""Model: shapes, types, batches, names, errors, release."""

import gc
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime import small_models
from tflbnn.errors import UserError
from tflbnn.runtime import Model, delegate_path
from tflbnn.runtime.delegate import kernels
from tflbnn.runtime.metadata import Metadata, add_metadata

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.fixture(scope="module")
def doubling():
    return Model(small_models.doubling())


class TestBatches:
    @given(st.integers(0, 9), st.integers(1, 5))
    @settings(max_examples=25, deadline=None)
    def test_any_batch_in_any_parts(self, doubling, count, batch_size):
        x = normal(count, 4, 5, 3)
        np.testing.assert_array_equal(doubling.predict(x, batch_size=batch_size), 2 * x)

    @pytest.mark.parametrize("count", [0, 1, 2, 5])
    @pytest.mark.parametrize("target", [(1, 6), (1, -1), (-1, 6)], ids=str)
    def test_a_reshape_to_a_constant_keeps_samples_apart(self, target, count):
        x = normal(count, 2, 3)
        y = Model(small_models.reshaping(target)).predict(x)
        np.testing.assert_array_equal(y, 2 * x.reshape(count, 6))

    @pytest.mark.parametrize("count", [1, 3, 4, 6, 9])
    def test_own_batch_of_four_is_filled_up(self, count):
        model = Model(small_models.reshaping((4, 6), batch=4))
        x = normal(count, 2, 3)
        np.testing.assert_array_equal(model.predict(x), 2 * x.reshape(count, 6))
        np.testing.assert_array_equal(model.predict(x, batch_size=2), 2 * x.reshape(count, 6))

    def test_free_axes_take_any_size(self):
        model = Model(small_models.doubling(free=(0, 1, 2)))
        assert model.input_shape == (None, None, None, 3)
        for shape in [(1, 4, 5, 3), (2, 9, 1, 3), (1, 4, 5, 3)]:
            x = normal(*shape)
            np.testing.assert_array_equal(model.predict(x), 2 * x)

    def test_an_earlier_result_stays(self, doubling):
        first = doubling.predict(np.ones((1, 4, 5, 3), np.float32))
        doubling.predict(np.zeros((1, 4, 5, 3), np.float32))
        assert (first == 2).all()


class TestNames:
    def test_signature_names(self, doubling):
        assert doubling.signatures == ["serving_default"]
        assert doubling.input_specs == {"x": ((None, 4, 5, 3), np.float32)}
        assert doubling.predict({"x": np.ones((1, 4, 5, 3))}).shape == (1, 4, 5, 3)

    def test_tensor_names_without_signature(self):
        model = Model(small_models.doubling(signature=False))
        assert model.signatures == []
        assert list(model.input_specs) == ["x:0"]

    @pytest.mark.parametrize("count", [0, 1, 4])
    def test_several_inputs_and_outputs(self, count):
        a, b = normal(count, 3), normal(count, 3)
        result = Model(small_models.sum_and_difference()).predict({"b": b, "a": a})
        assert list(result) == ["total", "difference"]
        np.testing.assert_array_equal(result["total"], a + b)
        np.testing.assert_array_equal(result["difference"], a - b)


class TestWrongInputs:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (np.zeros((4, 5, 3), np.float32), "batch axis too: array"),
            (np.zeros((1, 4, 6, 3), np.float32), r"shape \(any, 4, 5, 3\). Received: \(1, 4, 6, 3\)"),
            (np.zeros((2, 1, 4, 5, 3), np.float32), "Reshape"),
            (np.zeros((1, 4, 5, 3), np.uint8), "must be float32. Received: uint8. Use model.preprocess"),
            (np.zeros((1, 4, 5, 3), np.complex64), "must be float32"),
            (np.full((1, 4, 5, 3), np.nan), "NaN. Received: 60 of 60"),
            ({"y": np.zeros((1, 4, 5, 3))}, "inputs must be x. Received: y"),
            ({}, "Received: none"),
            ([[1.0], [1.0, 2.0]], "must be an array"),
            (None, "must be float32"),
        ],
    )
    def test_one_clear_sentence(self, doubling, value, message):
        with pytest.raises(UserError, match=message):
            doubling.predict(value)

    def test_infinity_and_float64_pass(self, doubling):
        x = np.full((1, 4, 5, 3), -np.inf)
        assert (doubling.predict(x) == -np.inf).all()

    def test_batches_must_be_equal(self):
        with pytest.raises(UserError, match="same batch size"):
            Model(small_models.sum_and_difference()).predict({"a": normal(1, 3), "b": normal(2, 3)})

    @pytest.mark.parametrize("batch_size", [0, -1, 1.5, "2"])
    def test_batch_size(self, doubling, batch_size):
        with pytest.raises(UserError, match="batch_size must be"):
            doubling.predict(np.zeros((1, 4, 5, 3), np.float32), batch_size=batch_size)

    @pytest.mark.parametrize("threads", [0, -1, 257, 1.0, "2", None])
    def test_threads(self, threads):
        with pytest.raises(UserError, match="threads must be an integer from 1 to 256"):
            Model(small_models.doubling(), threads=threads)

    def test_missing_file(self, tmp_path):
        with pytest.raises(UserError, match=r"Cannot read the model .*none\.tflite: no such file"):
            Model(tmp_path / "none.tflite")

    def test_a_folder(self, tmp_path):
        with pytest.raises(UserError, match="is a directory"):
            Model(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 100, small_models.doubling()[:200]])
    def test_no_model(self, content, tmp_path):
        (tmp_path / "bad.tflite").write_bytes(content)
        with pytest.raises(UserError, match=r"bad\.tflite: "):
            Model(tmp_path / "bad.tflite")

    def test_an_output_without_batch(self):
        with pytest.raises(UserError, match="batch as its first axis"):
            Model(small_models.reshaping((6,)))


class TestDelegate:
    SIGNS = np.sign(normal(7, 33))

    def test_needs_the_delegate(self):
        with pytest.raises(UserError, match="use delegate=True"):
            Model(small_models.binary(self.SIGNS), delegate=False)

    @pytest.mark.parametrize("kernel", [None, "auto", *kernels()])
    @pytest.mark.parametrize("threads", [1, 2])
    def test_every_kernel(self, kernel, threads):
        model = Model(small_models.binary(self.SIGNS), threads, kernel=kernel)
        assert model.kernel == (kernels()[0] if kernel in (None, "auto") else kernel)
        x = normal(3, 4, 5, 33)
        expected = np.where(x < 0, -1, 1) @ self.SIGNS.T
        np.testing.assert_array_equal(model.predict(x), expected)

    def test_kernel_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("TFLBNN_KERNEL", "reference")
        assert Model(small_models.binary(self.SIGNS)).kernel == "reference"

    def test_unknown_kernel(self):
        with pytest.raises(UserError, match="referense"):
            Model(small_models.binary(self.SIGNS), kernel="referense")

    def test_missing_library(self, monkeypatch, tmp_path):
        monkeypatch.setattr("tflbnn.runtime.delegate._FOLDER", tmp_path)
        with pytest.raises(UserError, match="Run: pip install"):
            Model(small_models.doubling())
        assert Model(small_models.doubling(), delegate=False).kernel is None

    def test_path(self):
        assert delegate_path().is_file()


class TestLife:
    def test_closed(self):
        with Model(small_models.doubling()) as model:
            pass
        model.close()
        with pytest.raises(UserError, match="closed model"):
            model.predict(np.zeros((1, 4, 5, 3), np.float32))

    def test_the_interpreter_goes_before_the_delegate(self):
        model = Model(small_models.doubling())
        gone = []
        weakref.finalize(model._interpreter._interpreter, gone.append, "interpreter")
        weakref.finalize(model._interpreter._delegates[0], gone.append, "delegate")
        model.close()
        gc.collect()
        assert gone == ["interpreter", "delegate"]

    def test_several_threads_share_a_model(self, doubling):
        wrong = []

        def work(seed: int) -> None:
            rng = np.random.default_rng(seed)
            for _ in range(30):
                x = rng.normal(size=(rng.integers(0, 4), 4, 5, 3)).astype(np.float32)
                if not np.array_equal(doubling.predict(x), 2 * x):
                    wrong.append(seed)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


class TestMetadata:
    def test_none(self, doubling):
        assert doubling.metadata is None
        assert doubling.labels is None
        with pytest.raises(UserError, match="does not carry"):
            doubling.preprocess(np.zeros((4, 5, 3), np.uint8))

    def test_labels_and_normalization(self):
        file = add_metadata(
            small_models.classifier(np.eye(3)),
            Metadata(labels=("red", "green", "blue"), mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0)),
        )
        model = Model(file)
        assert model.labels == ["red", "green", "blue"]
        pixels = np.full((4, 5, 3), 11, np.uint8)
        array = model.preprocess(pixels)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array[0, 0, 0], [5, 2.25, 1])
        np.testing.assert_allclose(model.predict(array), [[5, 2.25, 1]], rtol=1e-6)

    def test_the_window_is_that_of_the_tests_of_training(self, tmp_path):
        from PIL import Image

        from tflbnn.data.images import Files

        pixels = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "it.png")
        described = Metadata(mean=(0.0,), std=(1.0,), resized=(9, 9))
        model = Model(add_metadata(small_models.classifier(np.eye(3), (4, 4)), described))
        assert model.resized == (9, 9)
        files = Files(np.array([tmp_path / "it.png"], object), 9)
        np.testing.assert_array_equal(model.preprocess(pixels), np.asarray(files.centre(4)))
        np.testing.assert_array_equal(model.preprocess(pixels)[0], np.asarray(files)[0, 2:6, 2:6])

    def test_only_images(self):
        with pytest.raises(UserError, match="takes images"):
            Model(small_models.sum_and_difference()).preprocess(np.zeros((4, 5, 3), np.uint8))
