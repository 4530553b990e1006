import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn import binarization
from tflbnn.binarization import QUANTIZERS, Binarization
from tflbnn.errors import UserError

binarizations = st.builds(
    Binarization,
    input_quantizer=st.sampled_from([name for name, facts in QUANTIZERS.items() if "inputs" in facts.quantizes]),
    kernel_quantizer=st.sampled_from([name for name, facts in QUANTIZERS.items() if "weights" in facts.quantizes]),
    t_clip=st.floats(0.01, 10),
    constraint=st.sampled_from(["weight_clip", "none"]),
    regularizer=st.sampled_from(["none", "r1", "r2"]),
    regularization=st.floats(0, 1),
    first=st.sampled_from(binarization.BITS),
    last=st.sampled_from(binarization.BITS),
    downsampling=st.sampled_from(binarization.BITS),
    pad_values=st.sampled_from([0, 1, 0.0, 1.0]),
)


@given(binarizations)
def test_survives_json(value: Binarization) -> None:
    assert Binarization.from_dict(json.loads(json.dumps(value.to_dict()))) == value


@given(
    st.dictionaries(
        st.sampled_from([*(field.name for field in dataclasses.fields(Binarization)), "t_clp", "lambda"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2),
        max_size=3,
    )
)
def test_any_json_is_accepted_or_refused_in_one_line(values: dict) -> None:
    try:
        refused = None
        made = Binarization.from_dict(values)
    except UserError as error:
        refused = str(error)
    assert "\n" not in refused if refused else made.t_clip > 0


@pytest.mark.parametrize("t_clip", [0, -1, float("nan"), float("inf"), True, "1", None])
def test_t_clip_is_a_number_above_0(t_clip: object) -> None:
    with pytest.raises(UserError, match=r"t_clip must be .*Received"):
        Binarization(t_clip=t_clip)


@pytest.mark.parametrize(
    ("field", "value", "nearest"),
    [
        ("input_quantizer", "ste_sing", "ste_sign"),
        ("kernel_quantizer", "float", "float32"),
        ("downsampling", "binry", "binary"),
        ("regularizer", "r3", "r"),
    ],
)
def test_a_wrong_choice_names_the_nearest(field: str, value: str, nearest: str) -> None:
    with pytest.raises(UserError, match=f"Received: '{value}'.*{nearest}"):
        Binarization(**{field: value})


def test_weights_have_no_relu() -> None:
    with pytest.raises(UserError, match="of weights must be one of ste_sign, magnitude_aware_sign, float32"):
        Binarization(kernel_quantizer="relu")


def test_an_unknown_field_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no field 't_clp'. Did you mean 't_clip'\?"):
        Binarization.from_dict({"t_clp": 1})


def test_integers_become_floats() -> None:
    assert Binarization(t_clip=1) == Binarization(t_clip=1.0)
    assert isinstance(Binarization(t_clip=1).t_clip, float)


def test_the_float_twin_has_nothing_binary() -> None:
    twin = Binarization.float32()
    assert not twin.is_binary
    assert {twin.first, twin.last, twin.downsampling} == {"float32"}


def test_the_table_has_a_row_a_quantizer_with_the_same_columns() -> None:
    rows = binarization.table()
    assert [row["name"] for row in rows] == list(QUANTIZERS)
    assert {tuple(row) for row in rows} == {("name", "weights", "activations", "gradient", "paper")}
    assert all(isinstance(cell, str) and cell for row in rows for cell in row.values())


def test_neither_binarization_nor_networks_load_tensorflow() -> None:
    code = (
        "import sys, inspect, typing; from tflbnn import Binarization, binarization, networks; "
        "networks.table(); binarization.table(); "
        "[typing.get_type_hints(networks.get(name)) for name in networks.NAMES]; "
        "import tflbnn.analysis.counts, tflbnn.analysis.counts_tflite; "
        "print([name for name in ('tensorflow', 'tf_keras', 'keras', 'larq') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
