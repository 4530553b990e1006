"""The page docs/benchmarks.md: every figure of the delegate and the converter, and where each comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

Rows = list[dict[str, str]]

OURS = "tflbnn"
NETWORKS = {
    "quicknet": "QuickNet",
    "binary_densenet28": "BinaryDenseNet-28",
    "binary_densenet45": "BinaryDenseNet-45",
    "bi_real_net18": "Bi-Real-Net-18",
    "real_to_binary_net": "RealToBinaryNet",
    "residual_relu": "Bi-Real-Net-18 with ReLU",
}
KERNELS = {"avx512": "AVX-512", "avx2": "AVX2", "neon": "NEON", "scalar": "64-bit popcount"}
PROVENANCE = ("seed", "cpu", "versions", "commit", "date", "command")

# The result files in the page's order: title, and what the figures mean.
SECTIONS = {
    "whole_networks": (
        "Whole networks",
        "The delegate in ai-edge-litert, LCE's interpreter (best: indirect BGEMM and XNNPACK) and the network without "
        "binarization on XNNPACK take turns in one process. A run feeds the image, predicts and reads the output. A "
        "ratio is the median of the rounds' ratios, so it may differ from that of the medians beside it.",
    ),
    "delegate_threads": (
        "Two threads",
        "One and two threads of every runtime take turns in one process.",
    ),
    "delegate_convolutions": (
        "Binary convolutions",
        "All binary convolutions of a network, while it runs, from the delegate's profile: the sum of their binary "
        "multiply-accumulates over the sum of their cycles. What is fused into them is in their time. The "
        "clock is that of the core while they run. The bound is what the instructions allow (delegate/README.md).",
    ),
    "delegate_start": (
        "Starting",
        "A new process each time. Load: from before the file is read to the first output, everything imported; the "
        "interpreter is built and the delegate's library loaded in it. Process: from before Python starts; LCE's "
        "package imports TensorFlow. Growth: from the resident memory where load begins to the peak.",
    ),
    "delegate_fusions": (
        "Fusions",
        "How many times slower a network is without one fusion, with the quartiles of the rounds. 'All again' is a "
        "second interpreter with all: what cannot be told apart. A fusion that takes nothing in a network has no row.",
    ),
    "mca": (
        "NEON, estimated",
        "What llvm-mca expects of the convolution's inner loop, from the first cache; not measured on a device. A turn "
        "is 2,048 binary multiply-accumulates: 32 input channels, 32 output channels, 2 pixels.",
    ),
    "android_host": (
        "Android's libraries on a PC",
        "Stock TensorFlow Lite for Android (x86-64) and the delegate built for Android, run in a JVM through a shim of "
        "Android's C library, with XNNPACK attached explicitly; beside it the Python package, in turn, in processes of "
        "their own. Binary: the delegate's part, by its profile. Times of one image, without a device.",
    ),
    "agreement": (
        "Agreement",
        "Random networks with exact weights, compared with Keras bit for bit; then with constants that round, against "
        "the reference kernels without fusions. Batches of none are left out where a gate fits one sample only.",
    ),
    "training": (
        "Training",
        "`make benchmark-training`: trainings of tflbnn and of plain Keras fit on the same Larq network take turns in "
        "one process, on the same images without augmentation. Images a second are those of whole epochs after the "
        "first, with validation and, of tflbnn, checkpoint, TensorBoard and history; the first is slower by tracing "
        "and compiling. Rows below 'tflbnn' change one setting of `execution`. This processor multiplies bfloat16 "
        "(AMX); the default is float32 all the same, so that results do not hang on the processor. What half precision "
        "costs in accuracy: methods.md.",
    ),
    "convert": (
        "Converting",
        "A Keras model to a flatbuffer; LCE's converter does what 'lower' does.",
    ),
    "converter_sizes": (
        "Sizes of converted files",
        "The same model by both converters, tflbnn's with metadata and verified; 'rest' is what is not binary. One of "
        "a model's rests is to stay within the goal.",
    ),
    "rest_latency": (
        "Time with a smaller rest",
        "One image, one thread, all files in turn in one process: the delegate for what is binary, XNNPACK for the "
        "rest.",
    ),
    "converter_passes": (
        "Passes that the converter does not have",
        "Networks as they are converted, and twins of which LCE's converter makes what the pass would, or more: a "
        "bound of what it could gain, in stock TensorFlow Lite with the delegate and in LCE's interpreter.",
    ),
}


def rows_of(rows: Rows, **values: str) -> Rows:
    """Those with these values."""
    return [row for row in rows if all(row[column] == value for column, value in values.items())]


def section(title: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; columns of numbers to the right."""
    numeric = [all(re.fullmatch(r"-?[\d.,e+-]*( [^ ]+)?", row[i]) for row in body) for i in range(len(head))]
    rule = ["---:" if right and any(row[i] for row in body) else "---" for i, right in enumerate(numeric)]
    lines = [f"| {' | '.join(cells)} |" for cells in (head, rule, *body)]
    return "\n".join([*((f"**{title}**", "") if title else ()), *lines])


def page(tables: Mapping[str, Rows]) -> str:
    """The whole of it."""
    parts = [
        "# Benchmarks",
        "Written by `python benchmarks/readme_table.py` from the result files in "
        "[benchmarks/results](../benchmarks/results). `make benchmark-delegate` measures all of it; "
        "each part has a command of its own.",
    ]
    for name, (title, text) in SECTIONS.items():
        if name not in tables:
            continue
        rows = tables[name]
        columns = [column for column in rows[0] if column not in PROVENANCE and any(row[column] for row in rows)]
        constant = [column for column in columns if len({row[column] for row in rows}) == 1 and len(rows) > 1]
        body = [[_cell(column, row[column]) for column in columns if column not in constant] for row in rows]
        head = [_head(column) for column in columns if column not in constant]
        alike = "; ".join(f"{_head(column)}: {_cell(column, rows[0][column])}" for column in constant)
        source = rows[0]
        origin = f"`{source['command']}`, {source['date']}, commit {source['commit']}, {source['cpu']}. "
        parts += [f"## {title}", text, section("", head, body)]
        parts += [f"All rows: {alike}."] if alike else []
        parts += [origin + source["versions"] + "."]
    return "\n\n".join(parts) + "\n"


def _head(column: str) -> str:
    for word, shown in (
        ("times_", "× "),
        ("_", " "),
        ("lce", "LCE"),
        (" ghz", " GHz"),
        (" mb", " MB"),
        ("macs", "MACs"),
    ):
        column = column.replace(word, shown)
    return column


def _cell(column: str, value: str) -> str:
    if column == "network":
        return NETWORKS.get(value, value)
    if column == "binary_macs":
        return f"{int(value):,}"
    return value
