"""Latency tables: fitted, written, read, refused; and what operators are counted as."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.small_models import binary
from tflbnn import networks
from tflbnn.binarization import Binarization
from tflbnn.errors import UserError
from tflbnn.tuning import calibration, calibration_networks
from tflbnn.tuning.latency_table import LatencyTable
from tflbnn.tuning.operations import features
from tflbnn.tuning.stock import constant_bytes, float_flatbuffer, int8_flatbuffer

KEYS = ["model", "ADD", "CONV_2D", "CONV_2D:macs"]


@settings(max_examples=30)
@given(st.lists(st.floats(0.001, 10), min_size=4, max_size=4), st.integers(0, 99))
def test_a_linear_device_is_fitted_exactly(ms, seed):
    counts = [dict(zip(KEYS, row, strict=True)) for row in np.random.default_rng(seed).uniform(0.1, 5, (12, 4))]
    device = LatencyTable(dict(zip(KEYS, ms, strict=True)))
    table = LatencyTable.fit(counts, [device.predict_counts(row) for row in counts])
    for key in KEYS:
        assert table.ms[key] == pytest.approx(device.ms[key], rel=1e-3, abs=1e-6)


def test_a_table_reads_back_and_others_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    LatencyTable({"model": 0.5, "ADD:elements": 1 / 3}).write(path)
    assert LatencyTable.read(path).ms == {"model": 0.5, "ADD:elements": 0.333333}
    for text in ("", "operation,ms\n", "operation,ms\nADD,-1\n", "operation,ms\nADD,x\n", "a,b\n1,2\n",
                 "operation,ms\nADD,1\nADD,2\n", "operation,ms\nADD,inf\n"):  # fmt: skip
        path.write_text(text)
        with pytest.raises(UserError, match="Make one with: tflbnn calibrate"):
            LatencyTable.read(path)
    with pytest.raises(UserError, match="Cannot read the latency table"):
        LatencyTable.read(tmp_path / "none.csv")
    with pytest.raises(UserError, match=r"one without MUL\."):
        LatencyTable({"model": 1.0}).predict_counts({"model": 1, "MUL": 1, "MUL:macs": 3})


def test_a_binary_convolution_is_counted():
    found = features(binary(np.ones((7, 33))))
    assert found["model"] == found["binary convolution"] == found["LceQuantize"] == 1
    assert found["binary convolution:macs"] == pytest.approx(7 * 64 * 4 * 5 / 1e6)  # whole words of channels
    assert found["binary convolution:elements"] == pytest.approx(7 * 4 * 5 / 1e3)


def test_a_float_network_and_its_8_bits_are_counted_apart():
    model = networks.get("resnet_e18")((16, 16, 3), 10, Binarization.float32(), layers=(1, 1), filters=(8, 16),
                                       stem="cifar")  # fmt: skip
    float32, int8 = (
        float_flatbuffer(model),
        int8_flatbuffer(model, np.random.default_rng(0).normal(size=(4, 16, 16, 3))),
    )
    one, other = features(float32), features(int8)
    assert one["CONV_2D"] == other["CONV_2D int8"] > 1
    assert one["CONV_2D:macs"] == other["CONV_2D int8:macs"]
    assert other["CONV_2D"] == 0
    assert 0.25 < constant_bytes(int8) / constant_bytes(float32) < 0.5
    assert constant_bytes(float32) >= 4 * sum(np.prod(w.shape) for w in model.trainable_weights if "kernel" in w.name)


def test_calibration_networks_are_the_same_each_time_and_cover_what_is_searched():
    one, other = list(calibration_networks.specifications()), list(calibration_networks.specifications())
    assert one == other
    assert len({specification.name for specification in one}) == calibration_networks.NETWORKS
    assert {specification.side for specification in one} == set(calibration_networks.SIDES)
    assert {specification.kind for specification in one} == {"binary", "float32", "int8"}


def test_times_of_another_device(tmp_path, monkeypatch):
    specifications = list(calibration_networks.specifications(2))
    monkeypatch.setattr(calibration, "specifications", lambda: iter(specifications))
    for number, specification in enumerate(specifications, start=1):
        (tmp_path / f"{specification.name}.tflite").write_bytes(binary(np.ones((7 * number, 33))))
    times = tmp_path / "phone.csv"
    lines = [f"models/{specification.name}.tflite,{ms}" for ms, specification in enumerate(specifications, start=2)]
    times.write_text("\n".join(["model,median_ms", *lines]))
    measured = calibration.read_measured(times)
    assert list(measured.values()) == [2, 3]
    table = calibration.fit(tmp_path, measured)
    assert table.predict(binary(np.ones((7, 33)))) == pytest.approx(2, rel=0.2)
    del measured[specifications[0].name]
    with pytest.raises(UserError, match="none of 000-"):
        calibration.fit(tmp_path, measured)
    app = "model,variant,delegate,kernel,threads,runs,p50_ms\n"
    app += "".join(f"a-binary-8.tflite,1-bit,{on},neon,{n},9,{n}.5\n" for on in ("on", "off") for n in (1, 2))
    times.write_text(app)
    assert calibration.read_measured(times) == {"a-binary-8": 1.5}
    for text in ("model,ms\na,1\n", "model,median_ms\na,x\n", "model,median_ms\na,0\n"):
        times.write_text(text)
        with pytest.raises(UserError, match=r"median_ms|above 0 ms"):
            calibration.read_measured(times)
