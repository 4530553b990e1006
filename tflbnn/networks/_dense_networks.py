"""What DenseNet, BinaryDenseNet and MeliusNet share: a stem, stages of dense blocks, transitions, a head."""

from __future__ import annotations

from tflbnn.binarization import Binarization
from tflbnn.networks import _checks
from tflbnn.networks._checks import Model

# Channels behind a transition: one machine word of bits, as in BMXNet and Larq Zoo.
WORD = 32


def dense_network(
    name: str,
    input_shape: tuple[int, int, int],
    classes: int,
    binarization: Binarization,
    *,
    layers: tuple[int, ...],
    growth_rate: int,
    first_filters: int,
    reduction: tuple[float, ...],
    stem: str,
    width: float,
    dilations: tuple[int, ...] = (),
    multiple: int = WORD,
    improve: bool = False,
    normalize_image: bool = False,
) -> Model:
    """The network of these knobs, after checking them; `binary_densenet` says what each is.

    `multiple`: what divides the channels behind a transition. `improve`: an improvement block behind each dense one.
    `normalize_image`: a BatchNorm before the stem.

    Raises:
        UserError: a value that no network has.
    """
    layers = tuple(_checks.check_integer("every number of layers", n) for n in _checks.check_sequence("layers", layers))
    growth_rate = _checks.check_integer("growth_rate", growth_rate)
    first_filters = _checks.check_integer("first_filters", first_filters)
    classes = _checks.check_integer("classes", classes, 2)
    reduction = tuple(
        _checks.check_number("every reduction", rate, 1.0)
        for rate in _checks.check_sequence("reduction (one less than stages)", reduction, len(layers) - 1)
    )
    dilations = dilations or (1,) * len(layers)
    dilations = tuple(
        _checks.check_integer("every dilation", rate)
        for rate in _checks.check_sequence("dilations (one a stage)", dilations, len(layers))
    )
    strides = _checks.check_stem(stem, first_filters, _checks.WITH_GROUPED_STEM)
    pools = [rate == 1 for rate in dilations[1:]]
    input_shape = _checks.check_input_shape(input_shape, strides * 2 ** sum(pools))
    width = _checks.check_width(width)
    growth_rate = _checks.scale_channels(growth_rate, width)
    grouped = _checks.GROUPED_STEM_MULTIPLE if stem == "grouped" else 1
    first_filters = _checks.scale_channels(first_filters, width, grouped)
    multiple = _checks.scale_channels(multiple, min(width, 1.0))

    # Loaded here, after the checks: signatures and figures are read without TensorFlow.
    from tflbnn._keras import keras
    from tflbnn.layers import batch_normalization
    from tflbnn.networks import _blocks

    image = keras.Input(input_shape, name="image")
    x = batch_normalization(name="image_norm")(image) if normalize_image else image
    x = _blocks.stem(x, binarization, stem, first_filters)
    for stage, (depth, dilation) in enumerate(zip(layers, dilations, strict=True), start=1):
        if stage > 1:
            x = _blocks.transition(x, binarization, reduction[stage - 2], pools[stage - 2], stage - 1, multiple)
        x = _blocks.dense_block(x, binarization, depth, growth_rate, dilation, stage, improve)
    return keras.Model(image, _blocks.head(x, binarization, classes), name=name)
