"""Production: shifts, OEE after ISO 22400-2, downtime and its reasons, scrap and rework."""

from shopfloor.services.production.machine import Machine, ProductionRefused, ProductionUnknown
from shopfloor.services.production.production import Production
from shopfloor.services.production.records import Entry, Note, Stop

__all__ = ["Entry", "Machine", "Note", "Production", "ProductionRefused", "ProductionUnknown", "Stop"]
