"""Writes abi_layout.inc: where the official TensorFlow Lite headers place what tflite/abi.h declares.

    python delegate/tests/abi_layout.py tensorflow-lite-2.16.1.aar > delegate/tests/abi_layout.inc

The .aar is the Maven Central artifact org.tensorflow:tensorflow-lite; the headers lie in its folder headers/.
Needs a C++ compiler for a 64-bit target.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ABI = Path(__file__).parent.parent / "tflite" / "abi.h"


def declarations(text: str) -> tuple[dict[str, list[str]], list[str]]:
    """The structures of abi.h with their fields, and its enumerators."""
    text = re.sub(r"//.*", "", text)
    structs = {}
    for body, name in re.findall(r"typedef struct \w+ \{(.*?)\n\} (\w+);", text, re.DOTALL):
        fields = []
        for declaration in body.split(";"):
            pointer = re.search(r"\(\*(\w+)\)", declaration)
            plain = re.search(r"(\w+)(\[\d*\])?\s*$", declaration)
            if match := pointer or plain:
                fields.append(match[1])
        structs[name] = [field for field in fields if field != "reserved"]
    enumerators = re.findall(r"\b(kTfLite\w+)\s*=", text)
    return structs, enumerators


def main(aar: str) -> None:
    structs, enumerators = declarations(ABI.read_text())
    lines = [f'  printf("ABI_VALUE({name}, %d)\\n", (int){name});' for name in enumerators]
    for struct, fields in structs.items():
        lines.append(f'  printf("ABI_SIZE({struct}, %zu)\\n", sizeof({struct}));')
        lines += [f'  printf("ABI_FIELD({struct}, {field}, %zu)\\n", offsetof({struct}, {field}));' for field in fields]
    source = "\n".join(
        [
            "#include <cstddef>",
            "#include <cstdio>",
            '#include "tensorflow/lite/builtin_ops.h"',
            '#include "tensorflow/lite/core/c/common.h"',
            "int main() {",
            *lines,
            "}",
        ]
    )
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(aar) as archive:
        for name in archive.namelist():
            if name.startswith("headers/") and name.endswith(".h"):
                archive.extract(name, folder)
        program = Path(folder) / "layout"
        command = ["c++", "-std=c++17", "-w", f"-I{folder}/headers", "-x", "c++", "-", "-o", program]
        subprocess.run(command, input=source, text=True, check=True)
        table = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    print(f"// Written by abi_layout.py from the headers of {Path(aar).name}, on a 64-bit machine.")
    print(table, end="")


if __name__ == "__main__":
    main(sys.argv[1])
