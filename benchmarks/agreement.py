"""Random networks: who computes what Keras does? The delegate with every kernel and fusion, LCE with every setting.

The delegate must give what Keras gives, bit for bit: with every kernel, fused and not; with every fusion alone and
every one left out; with two threads; and it must take a batch without samples. Then the constants of the network are
disturbed, so that every operation rounds: now every setting must give what the reference gives without fusions.

Where LCE's interpreter differs, lce_agreement.py says why.

    python benchmarks/agreement.py [--seeds 1000] [--jobs 2]

It can be interrupted: what is done is kept in build/agreement/ and not done again while the delegate's library and the
random networks stay the same. A network that the delegate computes wrongly is left there as a file, with its input.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import delegate_networks as nets
import numpy as np
import results
from rich.table import Table

from tflbnn.cli._command import console
from tflbnn.cli._quiet import quiet_status, without_remarks
from tflbnn.runtime.delegate import delegate_path, kernels
from tflbnn.runtime.flatbuffer import pack, schema, unpack

sys.path.insert(0, str(results.ROOT))
# One process a core instead. Read when TensorFlow loads.
os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")

with without_remarks():
    from lce_agreement import AGREES, DIFFERS, REFUSED, Verdict, lce_verdict

    from tests.random_networks import random_network
    from tests.runtimes import LCE_SETTINGS, equal, predict_delegate, predict_keras, shapes_without_samples
    from tflbnn.converter import convert

BLOCK = 100
FOLDER = results.ROOT / "build" / "agreement"
ALONE, LEFT_OUT, DISTURBED, EMPTY = "each fusion alone", "each fusion left out", "constants that round", "no samples"


def disturbed(flatbuffer: bytes, seed: int) -> bytes:
    """The network with constants of 24 bits instead of a few. Blurs stay: the delegate looks for powers of two."""
    rng = np.random.default_rng(seed)
    model = unpack(flatbuffer)
    graph = model.subgraphs[0]
    codes = [code.builtinCode for code in model.operatorCodes]
    depthwise = schema.BuiltinOperator.DEPTHWISE_CONV_2D
    blurs = {node.inputs[1] for node in graph.operators if codes[node.opcodeIndex] == depthwise}
    kept = {graph.tensors[index].buffer for index in blurs}
    for tensor in graph.tensors:
        data = model.buffers[tensor.buffer].data
        if tensor.type == schema.TensorType.FLOAT32 and data is not None and tensor.buffer not in kept:
            values = np.asarray(data).view(np.float32)
            values = values * rng.uniform(0.5, 1.5, values.shape).astype(np.float32)
            model.buffers[tensor.buffer].data = values.view(np.uint8)
            kept.add(tensor.buffer)
    return pack(model)


def settings(seed: int) -> dict[str, dict[str, Any]]:
    """Options of the delegate by the name of the runtime that they make; the kernels take turns where one is enough."""
    available = kernels()
    made = {
        f"{kernel}{suffix}": {"kernel": kernel, "fusion": fusion}
        for kernel in available
        for suffix, fusion in (("", "all"), (", fusion=none", "none"))
    }
    one = available[seed % len(available)]
    made["2 threads"] = {"kernel": one, "num_threads": 2}
    made |= {f"{ALONE}: {name}": {"kernel": one, "fusion": f"none,{name}"} for name in nets.fusions()}
    made |= {f"{LEFT_OUT}: {name}": {"kernel": one, "fusion": f"-{name}"} for name in nets.fusions()}
    return made


def compare(flatbuffer: bytes, batches: list[np.ndarray], expected: list[np.ndarray], seed: int) -> dict[str, Verdict]:
    """Of every setting; those of one kind, named before a colon, together."""
    wrong: dict[str, list[str]] = {}
    for name, options in settings(seed).items():
        kind, _, one = name.partition(": ")
        wrong.setdefault(kind, [])
        try:
            if not equal(predict_delegate(flatbuffer, batches, **options), expected):
                wrong[kind].append(one)
        except (RuntimeError, ValueError) as error:
            wrong[kind].append(f"{one}: {' '.join(str(error).split())}".removeprefix(": "))
    return {kind: (DIFFERS if found else AGREES, ", ".join(found)) for kind, found in wrong.items()}


def with_rounding(flatbuffer: bytes, batches: list[np.ndarray], seed: int) -> Verdict:
    """Every setting against the reference kernels without fusions, on constants that are not exact."""
    changed = disturbed(flatbuffer, seed)
    expected = predict_delegate(changed, batches, kernel="reference", fusion="none")
    wrong = [kind for kind, (verdict, _) in compare(changed, batches, expected, seed).items() if verdict != AGREES]
    return DIFFERS if wrong else AGREES, ", ".join(wrong)


def without_samples(flatbuffer: bytes, expected: list[np.ndarray], seed: int) -> Verdict:
    """Whether every setting takes a batch of none."""
    shapes = [(0, *output.shape[1:]) for output in expected]
    wrong = [
        name for name, options in settings(seed).items() if shapes_without_samples(flatbuffer, **options) != shapes
    ]
    return DIFFERS if wrong else AGREES, ", ".join(wrong)


def examine(seed: int) -> dict[str, Any]:
    """What every runtime does with one network."""
    network = random_network(seed)
    flatbuffer = convert(network.model, verify=False).flatbuffer
    expected = predict_keras(network.model, network.samples)
    verdicts = compare(flatbuffer, [network.samples], expected, seed)
    normal = np.random.default_rng(seed).normal(size=network.samples.shape).astype(np.float32)
    verdicts[DISTURBED] = with_rounding(flatbuffer, [normal], seed)
    verdicts[EMPTY] = without_samples(flatbuffer, expected, seed)
    if any(verdict == DIFFERS for verdict, _ in verdicts.values()):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"seed-{seed}.tflite").write_bytes(flatbuffer)
        (FOLDER / f"seed-{seed}-disturbed.tflite").write_bytes(disturbed(flatbuffer, seed))
        np.savez(FOLDER / f"seed-{seed}.npz", *expected, samples=network.samples, normal=normal)
    verdicts = {f"tflbnn {name}": verdict for name, verdict in verdicts.items()}
    for setting in LCE_SETTINGS:
        verdicts[f"LCE {setting}"] = lce_verdict(flatbuffer, network.samples, expected, setting)
    return {"seed": seed, "layers": network.layers, "verdicts": verdicts}


def journal() -> Path:
    """What is done with this library on these networks, a line each."""
    sources = [results.ROOT / "tests" / name for name in ("random_networks.py", "exact_layers.py")]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in (delegate_path(), *sources))).hexdigest()
    return FOLDER / f"{state[:12]}.jsonl"


def examine_all(seeds: list[int], jobs: int) -> Iterator[dict[str, Any]]:
    """In processes of their own, new ones for every block, as TensorFlow and LCE keep memory of every network."""
    context = multiprocessing.get_context("spawn")
    for first in range(0, len(seeds), BLOCK):
        pool = concurrent.futures.ProcessPoolExecutor(jobs, context)
        running = {pool.submit(examine, seed): seed for seed in seeds[first : first + BLOCK]}
        try:
            for future in concurrent.futures.as_completed(running):
                if future.exception() is not None:
                    waiting = [seed for other, seed in running.items() if other is future or not other.done()]
                    sys.exit(f"stopped by network {running[future]}, or one of {waiting}: {future.exception()!r}")
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each runtime."""
    summed = []
    for runtime in dict.fromkeys(runtime for row in rows for runtime in row["verdicts"]):
        found = [row["verdicts"][runtime] for row in rows if runtime in row["verdicts"]]
        counts, causes = (collections.Counter(column) for column in zip(*found, strict=True))
        inside = runtime == f"tflbnn {DISTURBED}"
        summed.append(
            {
                "runtime": runtime,
                "compared_with": "kernel=reference, fusion=none" if inside else "Keras",
                "networks": len(found),
                **{verdict: counts[verdict] for verdict in (AGREES, DIFFERS, REFUSED)},
                "because": "; ".join(f"{count} × {cause}" for cause, count in causes.most_common() if cause),
            }
        )
    return summed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes; default: the number of cores")
    arguments = parser.parse_args()
    path = journal()
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {row["seed"] for row in rows}
    missing = [seed for seed in range(arguments.seeds) if seed not in done]
    with quiet_status("random networks") as say, open(path, "a") as file:
        for row in examine_all(missing, arguments.jobs):
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
            wrong = sum(any(verdict == DIFFERS for verdict, _ in ours(row)) for row in rows)
            say(f"random networks: {len(rows)} of {arguments.seeds}, {wrong} computed wrongly by the delegate")
    rows = [row for row in rows if row["seed"] < arguments.seeds]
    summed = summary(sorted(rows, key=lambda row: row["seed"]))
    written = results.write("agreement", [row | results.provenance(0) for row in summed])
    table = Table("runtime", "equal", "differs", "refused", "because", title=f"{len(rows)} random networks")
    for row in summed:
        table.add_row(row["runtime"], *(str(row[verdict]) for verdict in (AGREES, DIFFERS, REFUSED)), row["because"])
    console().print(table)
    print(written.relative_to(results.ROOT))
    wrong = [row["seed"] for row in rows if any(verdict == DIFFERS for verdict, _ in ours(row))]
    if wrong:
        sys.exit(f"the delegate computes these networks wrongly, see {FOLDER}: {sorted(wrong)}")


def ours(row: dict[str, Any]) -> list[Verdict]:
    return [verdict for runtime, verdict in row["verdicts"].items() if runtime.startswith("tflbnn ")]


if __name__ == "__main__":
    results.run(main)
