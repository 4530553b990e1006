"""Searching a recipe's space with Keras Tuner: `search(parse_space(recipe, ["t_clip=0.25..2.0"]), "runs/search")`.

Importing this package loads neither TensorFlow nor Keras Tuner; searching does.
"""

from tflbnn.tuning.driver import Search, search
from tflbnn.tuning.progress import Plan, Progress
from tflbnn.tuning.results import Row
from tflbnn.tuning.settings import TUNERS, Settings
from tflbnn.tuning.space import Space, parse_space

__all__ = ["TUNERS", "Plan", "Progress", "Row", "Search", "Settings", "Space", "parse_space", "search"]
