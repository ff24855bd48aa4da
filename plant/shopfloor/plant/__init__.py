"""The vocabulary of a plant: what every other part of Shopfloor speaks.

Nothing here performs I/O or knows a framework; values travel in columns (see `Batch`).
"""

from shopfloor.plant.asset import Asset, AssetPath
from shopfloor.plant.batch import Batch, Kind, Sample
from shopfloor.plant.contracts import (
    Actuator,
    Model,
    Outcome,
    Prediction,
    Reader,
    Reason,
    Setpoint,
    Sink,
    Source,
)
from shopfloor.plant.errors import (
    BatchError,
    ConfigError,
    PathError,
    QuestionError,
    RejectedError,
    ShopfloorError,
    SinkUnavailable,
    SourceLost,
    StoreError,
)
from shopfloor.plant.event import Event, EventKind
from shopfloor.plant.quality import Severity
from shopfloor.plant.tag import Band, Limit, Side, Tag, TagPath

__all__ = [
    "Actuator",
    "Asset",
    "AssetPath",
    "Band",
    "Batch",
    "BatchError",
    "ConfigError",
    "Event",
    "EventKind",
    "Kind",
    "Limit",
    "Model",
    "Outcome",
    "PathError",
    "Prediction",
    "QuestionError",
    "Reader",
    "Reason",
    "RejectedError",
    "Sample",
    "Setpoint",
    "Severity",
    "ShopfloorError",
    "Side",
    "Sink",
    "SinkUnavailable",
    "Source",
    "SourceLost",
    "StoreError",
    "Tag",
    "TagPath",
]
