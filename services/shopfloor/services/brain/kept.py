"""What the brain saw of the last hours, kept on disk so that it goes on after a restart where it was."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shopfloor.models.memory import pack, unpack
from shopfloor.services.brain.follow import Machines, Pots, recall, remembered

log: Final = logging.getLogger(__name__)
MEMORY: Final = "memory.npz"


def recalled(folder: Path, lines: Sequence[Machines | Pots]) -> None:
    """Give lines what `keep` kept of them; a brain whose file is missing or damaged begins anew, and says so."""
    try:
        recall(lines, unpack((folder / MEMORY).read_bytes()))
    except FileNotFoundError:
        log.info("The brain remembers nothing yet.")
    except (OSError, ValueError, KeyError) as problem:
        log.warning("The brain forgot the last hours (%s) and begins anew.", problem)


def keep(folder: Path, lines: Sequence[Machines | Pots]) -> None:
    """Write what lines hold, in one piece; a full disk is said and loses nothing else."""
    fresh = folder / f"{MEMORY}.new"
    try:
        fresh.write_bytes(pack(remembered(lines)))
        fresh.replace(folder / MEMORY)
    except OSError as problem:
        log.warning("The brain could not keep what it saw (%s): free some disk.", problem)
