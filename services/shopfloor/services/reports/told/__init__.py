"""What a running server tells of the time of a report: what it has in mind, and no values."""

from shopfloor.services.reports.told.services import Services
from shopfloor.services.reports.told.told import Asked, told

__all__ = ["Asked", "Services", "told"]
