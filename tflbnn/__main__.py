"""`python -m tflbnn` is the command `tflbnn`."""

from tflbnn.cli import main

main()
