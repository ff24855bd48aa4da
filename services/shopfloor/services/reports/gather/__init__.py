"""What a report says, asked of the services: one module for each part of the document."""

from shopfloor.services.reports.gather.report import Asked, gather
from shopfloor.services.reports.gather.services import Services

__all__ = ["Asked", "Services", "gather"]
