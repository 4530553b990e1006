"""What starting costs: time from the file to the first prediction, and by how much memory grows; one thread.

A new process for each figure, the runtimes in turn: stock ai-edge-litert with the delegate, LCE's interpreter at its
best setting, the float twin. Two intervals end with the output of the first prediction. "load" begins when everything
is imported and the file is not yet read: it has reading, building the interpreter (and loading the delegate's
library), allocating, predicting. "process" begins before the process starts: it has Python and the imports, too. LCE's
package imports TensorFlow. The memory's growth is from the resident memory where "load" begins to the peak.

    python benchmarks/delegate_start.py [--rounds 15] [--network quicknet]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import delegate_networks as nets
import results

from tflbnn.cli._quiet import quiet_status
from tflbnn.errors import UserError
from tflbnn.runtime import delegate_path

CHILD = Path(__file__).with_name("first_prediction.py")


def start(runtime: str, path: Path, *library: str) -> dict[str, float]:
    """The figures of one new process."""
    command = [sys.executable, CHILD, runtime, path]
    result = subprocess.run([*command, str(time.time()), *library], capture_output=True, text=True)
    if result.returncode:
        raise UserError(f"{runtime} must load {path}. Received: {result.stderr.strip().splitlines()[-1]}")
    return json.loads(result.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", action="append", choices=nets.NETWORKS, help="default: the two of the README")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    rows = []
    with quiet_status("starting") as say:
        for name in arguments.network or ("quicknet", "binary_densenet28"):
            say(f"{name}: building and converting")
            files = nets.files(name)
            runtimes = {
                "tflbnn": ("tflbnn", files.tflbnn, str(delegate_path())),
                "LCE, best setting": ("lce", files.lce),
                "float twin on XNNPACK": ("float", files.float),
            }
            for command in runtimes.values():
                start(*command)  # brings the files into memory
            found: dict[str, list[dict[str, float]]] = {runtime: [] for runtime in runtimes}
            for done in range(arguments.rounds):
                say(f"{name}: {done} of {arguments.rounds} rounds")
                for runtime, command in runtimes.items():
                    found[runtime].append(start(*command))
            for runtime, figures in found.items():
                middle = {column: statistics.median(row[column] for row in figures) for column in figures[0]}
                rows.append(
                    {
                        "network": name,
                        "runtime": runtime,
                        "load_ms": f"{middle['load_ms']:.1f}",
                        "process_ms": f"{middle['process_ms']:.0f}",
                        "growth_mb": f"{middle['growth_mb']:.1f}",
                        "processes": len(figures),
                    }
                )
    nets.report("delegate_start", rows)


if __name__ == "__main__":
    results.run(main)
