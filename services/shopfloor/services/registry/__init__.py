"""The registry of models: versions, stages by scope, evidence, approvals, rollback, and a hash-chained audit."""

from shopfloor.services.registry.gate import Evidence, Policy
from shopfloor.services.registry.registry import Registry
from shopfloor.services.registry.scores import Label, Prediction
from shopfloor.services.registry.words import Card, Deployment, Event, ModelUnknown, Refused, Stage, Version

__all__ = [
    "Card",
    "Deployment",
    "Event",
    "Evidence",
    "Label",
    "ModelUnknown",
    "Policy",
    "Prediction",
    "Refused",
    "Registry",
    "Stage",
    "Version",
]
