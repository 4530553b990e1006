import dataclasses
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflbnn import binarization
from tflbnn.binarization import PRESETS, QUANTIZERS, Binarization
from tflbnn.errors import UserError

binarizations = st.builds(
    Binarization,
    input_quantizer=st.sampled_from([name for name, facts in QUANTIZERS.items() if "inputs" in facts.quantizes]),
    kernel_quantizer=st.sampled_from([name for name, facts in QUANTIZERS.items() if "weights" in facts.quantizes]),
    t_clip=st.floats(0.01, 10),
    beta=st.floats(0.1, 100),
    trainable_beta=st.booleans(),
    input_bits=st.integers(1, 8),
    kernel_bits=st.integers(1, 8),
    input_threshold=st.floats(0, 2),
    kernel_threshold=st.floats(0, 2),
    scaling=st.sampled_from(binarization.SCALINGS),
    scaling_per=st.sampled_from(["filter", "layer"]),
    centred=st.booleans(),
    alpha_start=st.sampled_from(binarization.ALPHA_STARTS),
    input_scaling=st.sampled_from(["none", "xnor"]),
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
        ("scaling", "xnr", "xnor"),
        ("alpha_start", "percentile", "percentile75"),
        ("input_scaling", "k", "none, xnor"),
    ],
)
def test_a_wrong_choice_names_the_nearest(field: str, value: str, nearest: str) -> None:
    with pytest.raises(UserError, match=f"Received: '{value}'.*{nearest}"):
        Binarization(**{field: value})


def test_weights_have_no_relu() -> None:
    with pytest.raises(UserError, match="of weights must be one of ste_sign, sign_swish, magnitude_aware_sign"):
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


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("beta", 0, "beta must be above 0. Received: 0.0. The paper uses 5, 10 and 20."),
        ("input_threshold", -1, "input_threshold must be at least 0"),
        ("kernel_threshold", float("nan"), "kernel_threshold must be at least 0"),
        ("input_bits", 9, "input_bits must be an integer from 1 to 8. Received: 9"),
        ("kernel_bits", True, "kernel_bits must be an integer from 1 to 8. Received: True"),
        ("trainable_beta", 1, "trainable_beta must be true or false. Received: 1"),
        ("centred", "yes", "centred must be true or false. Received: 'yes'"),
        ("pad_values", 0.5, "pad_values must be 0 or 1. Received: 0.5"),
    ],
)
def test_wrong_values_are_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        Binarization(**{field: value})


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_data(name: str) -> None:
    made = Binarization.preset(name)
    assert Binarization.from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert Binarization.preset(name, t_clip=0.75) == dataclasses.replace(made, t_clip=0.75)
    defaults = Binarization()
    same = {field for field, value in PRESETS[name].fields.items() if value == getattr(defaults, field)}
    assert same <= {"t_clip", "input_bits"}  # these are the paper's own, whatever the default is


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no binarization 'xnornet'. Did you mean 'xnor_net'\?"):
        Binarization.preset("xnornet")


@pytest.mark.parametrize(
    ("table", "names"), [(binarization.table, PRESETS), (binarization.quantizer_table, QUANTIZERS)]
)
def test_tables_have_a_row_a_name_with_the_same_columns(table, names) -> None:
    rows = table()
    assert [row["name"] for row in rows] == list(names)
    assert len({tuple(row) for row in rows}) == 1
    assert all(isinstance(cell, str) and cell for row in rows for cell in row.values())


def test_constants_are_those_of_the_quantizers() -> None:
    from tflbnn.quantizers import bases, dorefa, scaled

    assert binarization.SCALINGS == scaled.SCALINGS
    assert set(binarization.ALPHA_STARTS) == {*scaled.STARTS, "minimum"}
    assert binarization.LARGEST_BITS == bases.LARGEST_NUMBER == dorefa.LARGEST_K


def test_neither_binarization_nor_networks_load_tensorflow() -> None:
    code = (
        "import sys, inspect, typing; from tflbnn import Binarization, binarization, networks; "
        "networks.table(); binarization.table(); binarization.quantizer_table(); "
        "[typing.get_type_hints(networks.get(name)) for name in networks.NAMES]; "
        "import tflbnn.analysis.counts, tflbnn.analysis.counts_tflite; "
        "print([name for name in ('tensorflow', 'tf_keras', 'keras', 'larq') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
