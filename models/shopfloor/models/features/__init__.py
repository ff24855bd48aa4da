"""Features: pure functions from part rows and pot bins to float32, the same code offline and online.

float32 at this boundary makes training, the compiled trees and live scoring agree to the last bit. No clock, counter or
id enters: ages are cutting minutes, distances are differences, and a tool's drift is against its own beginning.
"""

from shopfloor.models.features.history import padded, pot_features, pot_history
from shopfloor.models.features.matrix import Matrix
from shopfloor.models.features.part import MEMORY, PART_FEATURES, part_features
from shopfloor.models.features.pot import BINS_SEEN, COARSE, FINE, POT_FEATURES, excused

__all__ = [
    "BINS_SEEN", "COARSE", "FINE", "MEMORY", "PART_FEATURES", "POT_FEATURES", "Matrix", "excused", "padded",
    "part_features", "pot_features", "pot_history",
]  # fmt: skip
