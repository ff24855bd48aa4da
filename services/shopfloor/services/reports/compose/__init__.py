"""A document in words: its sections as blocks, in the order in which an engineer asks."""

from shopfloor.services.reports.compose.page import page

__all__ = ["page"]
