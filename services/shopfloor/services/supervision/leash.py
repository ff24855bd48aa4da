"""Started in front of a child: ties its life to its parent's, then becomes the child.

    python -I -S leash.py PARENT_PID COMMAND...

On Linux the kernel sends SIGTERM to the child when the parent dies, however it dies, even by `kill -9`. The tie
survives `exec`. This file imports nothing of the product, so that it costs some milliseconds only.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie, check that the parent lives still, and become the command."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("The supervisor is gone.")
    os.execvp(command[0], command)  # noqa: S606 (no shell is wanted)


if __name__ == "__main__":
    main()
