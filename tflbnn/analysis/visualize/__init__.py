"""Looking into networks: what they answer to, what they look at, what their weights and bits are.

Each picture is a `drawing.Drawing`, a PNG that carries its caption; `tflbnn visualize` writes them into RUN/figures,
where the report finds them. The modules load TensorFlow; this package loads nothing.
"""

from __future__ import annotations

# Where the pictures of a run lie, beside its other files.
FOLDER = "figures"
# How they follow each other; others come after, by their names.
ORDER = ("visualbackprop", "deepdream", "feature-maps", "bit-planes", "weights", "scaling", "sweep", "tradeoff")
