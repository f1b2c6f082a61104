"""One line a step, with the seconds since the start, so that a long night shows where it is."""

import sys
import time

_started = time.monotonic()


def say(step: str, text: str) -> None:
    """Write a line to the terminal, whatever standard output has been redirected to."""
    print(f"{time.monotonic() - _started:7.1f}s  {step:<10} {text}", file=sys.__stderr__, flush=True)
