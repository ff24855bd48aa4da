"""The spool: what a gateway has accepted and its server has not yet made durable."""

from shopfloor.gateway.spool.commit import Committer
from shopfloor.gateway.spool.holes import Hole
from shopfloor.gateway.spool.rows import Entry, Row
from shopfloor.gateway.spool.spool import Spool

__all__ = ["Committer", "Entry", "Hole", "Row", "Spool"]
