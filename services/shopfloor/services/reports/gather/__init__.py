"""What the stores hold of the time of a report, read in a process of its own beside the server."""

from shopfloor.services.reports.gather.report import gather
from shopfloor.services.reports.gather.stores import Stores

__all__ = ["Stores", "gather"]
