"""Searching a recipe's space: `search(Settings(parse_space(recipe, ["t_clip=0.25..2.0"])), "runs/search")`.

Importing this package loads neither TensorFlow nor Keras Tuner; searching does.
"""

from tflbnn.tuning.driver import Search, search
from tflbnn.tuning.latency_table import LatencyTable
from tflbnn.tuning.objectives import Constraint, parse_constraints, parse_objectives
from tflbnn.tuning.progress import Plan, Progress
from tflbnn.tuning.results import Baseline, Row
from tflbnn.tuning.settings import TUNERS, Settings
from tflbnn.tuning.space import Space, parse_space

__all__ = [
    "TUNERS",
    "Baseline",
    "Constraint",
    "LatencyTable",
    "Plan",
    "Progress",
    "Row",
    "Search",
    "Settings",
    "Space",
    "parse_constraints",
    "parse_objectives",
    "parse_space",
    "search",
]
