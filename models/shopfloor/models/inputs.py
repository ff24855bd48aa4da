"""Which tags of which asset type the models look at, and what they predict."""

from __future__ import annotations

from typing import Final

from shopfloor.models import bins, parts

MACHINE: Final = "machine-tool"
POT: Final = "reduction-pot"
TAGS: Final = {MACHINE: parts.TAGS, POT: bins.TAGS}
TEXTS: Final = ("state", "program", "material.lot")
"""Tags that hold text; all others of `TAGS` are numbers."""
TARGETS: Final = {MACHINE: ("dimension", "out_of_tolerance", "tool_life"), POT: ("pot_unusual", "anode_effect")}
