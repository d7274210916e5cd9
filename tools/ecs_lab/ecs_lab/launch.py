"""Starts a program that ends when its parent does: `python launch.py PARENT_PID PROGRAM [ARGUMENT ...]`.

The kernel sends SIGKILL to the program when the thread that started it ends, however that comes about (Linux only).
The call is made here, in a process with one thread, because code between fork and exec of a process with several can hang.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for the signal, make sure the parent is still there, become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit("the process that started this one has ended")
    os.execv(program[0], program)  # noqa: S606 -- the point of this file


if __name__ == "__main__":
    main()
