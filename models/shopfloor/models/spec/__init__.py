"""Features as one pure, hashable function: the same arithmetic over a history and value by value."""

from shopfloor.models.spec.featurespec import FeatureSpec, SpecError
from shopfloor.models.spec.history import features
from shopfloor.models.spec.refuse import refuse, refused
from shopfloor.models.spec.stream import Stream

__all__ = ["FeatureSpec", "SpecError", "Stream", "features", "refuse", "refused"]
