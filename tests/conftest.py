"""What all tests need."""

from __future__ import annotations

import signal

# A shell's background jobs ignore Ctrl-C, and so would the commands that tests start and then interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
