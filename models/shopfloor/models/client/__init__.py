"""What a notebook asks a running server for, one call each."""

from shopfloor.models.client.ask import history
from shopfloor.models.client.history import History

__all__ = ["History", "history"]
