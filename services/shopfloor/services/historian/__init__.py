"""The embedded historian: a SQLite log, sorted Parquet segments, rollups and a table of latest values.

A batch is safe when `Historian.ingest` returns: it lies in the log (WAL, synchronous=FULL). A background thread turns
the log into segments; publishing a segment and deleting its log rows is one SQLite transaction.
"""

from shopfloor.services.historian.historian import Historian
from shopfloor.services.historian.influx import InfluxTarget, Mirror
from shopfloor.services.historian.options import Options
from shopfloor.services.historian.reader import StoreReader
from shopfloor.services.historian.sequence import SequenceGap, SourceLedger, Stored

__all__ = ["Historian", "InfluxTarget", "Mirror", "Options", "SequenceGap", "SourceLedger", "StoreReader", "Stored"]
