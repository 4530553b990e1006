"""Assembler that gives glibc's functions the names by which Android's libraries import them: NAME@LIBC."""

from __future__ import annotations

from collections.abc import Iterable

# libc.c has shim_NAME for these.
OWN = {
    "__errno",
    "__strlen_chk",
    "__system_property_get",
    "__libc_init",
    "android_set_abort_message",
    "strerror_r",
    "sysconf",
    "fprintf",
    "vfprintf",
    "fputc",
    "fwrite",
    "fflush",
    "fileno",
    "fclose",
    "pthread_mutex_init",
}
DATA = {"__sF"}  # defined in libc.c

JUMPS = {
    "x86_64": "  jmp *pointer_{name}(%rip)",
    "aarch64": "  adrp x16, pointer_{name}\n  ldr x16, [x16, :lo12:pointer_{name}]\n  br x16",
}


def assembler(names: Iterable[str], machine: str) -> str:
    """For each name a function that jumps to glibc's, or to libc.c's.

    >>> print(assembler(["read"], "x86_64").splitlines()[4])
      jmp *pointer_read(%rip)
    """
    lines = []
    for name in sorted(set(names) - DATA):
        target = f"shim_{name}" if name in OWN else name
        lines += [
            f".text\n.globl trampoline_{name}\n.type trampoline_{name},%function\ntrampoline_{name}:",
            JUMPS[machine].format(name=name),
            f".size trampoline_{name},.-trampoline_{name}\n.symver trampoline_{name},{name}@LIBC",
            f".data\n.p2align 3\npointer_{name}: .quad {target}",
        ]
    return "\n".join(lines) + '\n.section .note.GNU-stack,"",%progbits\n'
