"""Any recipe cut down to what shows that it runs."""

from __future__ import annotations

import dataclasses
from typing import Any

from tflbnn.recipes import Recipe, overrides

SAMPLES = 64
# AlexNet's strides need 67 pixels.
_PHOTOGRAPHS = {"imagenet": {"side": 80, "crop": 72}, "voc": {"side": 64}}


def smoke_recipe(recipe: Recipe) -> Recipe:
    """A recipe in its smallest form: 64 images, one epoch, one layer or block a stage, a tenth of the channels.

    Photographs become 72×72 pixels, cut out of 80×80, those with objects 64×64. What was smaller stays, and so do the
    networks of demonstrations.

    >>> from tflbnn import recipes
    >>> smoke = smoke_recipe(recipes.get("cifar10"))
    >>> smoke.epochs, smoke.network.knobs["layers"], smoke.network.knobs["width"]
    (1, (1, 1, 1, 1), 0.1)
    """
    data = dataclasses.replace(recipe.data, samples=min(recipe.data.samples or SAMPLES, SAMPLES))
    if data.name in _PHOTOGRAPHS:
        data = dataclasses.replace(data, **_PHOTOGRAPHS[data.name])
    pretraining = recipe.pretraining
    if pretraining.epochs is not None:
        pretraining = dataclasses.replace(pretraining, epochs=1)
    return dataclasses.replace(
        recipe,
        epochs=1,
        batch_size=min(recipe.batch_size, 16),
        data=data,
        network=dataclasses.replace(recipe.network, knobs={**recipe.network.knobs, **_smallest(recipe)}),
        pretraining=pretraining,
    )


def _smallest(recipe: Recipe) -> dict[str, Any]:
    """The knobs that decide how deep and wide a paper's network is; those of demonstrations are small already."""
    if not recipe.published:
        return {}
    known = overrides.knobs(recipe.network.name)
    knobs = {knob: (1,) * len(recipe.get(f"network.{knob}")) for knob in ("layers", "blocks") if knob in known}
    if "width" in known:
        return knobs | {"width": min(0.1, recipe.get("network.width"))}
    narrow = {"growth_rate": 8, "first_filters": 8, "extra_scales": 1}
    return knobs | {knob: min(least, recipe.get(f"network.{knob}")) for knob, least in narrow.items() if knob in known}
