"""What keeps a device from starting, in one sentence for a person."""

from __future__ import annotations

import errno


def told(problem: Exception) -> str:
    """The sentence of a problem; what the operating system says is completed by the next step.

    >>> told(OSError(errno.ENOSPC, "No space left on device"))
    'The disk is full: free some space and start again.'
    """
    if not isinstance(problem, OSError):
        return str(problem)
    if problem.errno == errno.EADDRINUSE:
        return "The port is taken by another program: stop that one, or choose another port."
    if problem.errno == errno.ENOSPC:
        return "The disk is full: free some space and start again."
    if problem.filename is not None:
        return f"{problem.filename} cannot be used ({problem.strerror}): name another folder or file."
    return f"It cannot start ({problem.strerror or problem}): look at ports, folders and the disk."
