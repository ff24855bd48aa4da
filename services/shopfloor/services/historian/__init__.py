"""The embedded historian: a SQLite log, sorted Parquet segments, rollups and a table of latest values.

A batch is safe when `Historian.ingest` returns: it lies in the log (WAL, synchronous=FULL). A background thread turns
the log into segments; publishing a segment and deleting its log rows is one SQLite transaction.
"""

from shopfloor.services.historian.care.outside import Folder, open_folder
from shopfloor.services.historian.historian import Historian
from shopfloor.services.historian.log.sequence import SequenceGap, SourceLedger, Stored
from shopfloor.services.historian.options import Options, Retention
from shopfloor.services.historian.read.calendar import Calendar, Periods, Shift
from shopfloor.services.historian.read.long import History
from shopfloor.services.historian.read.plan import explained
from shopfloor.services.historian.read.reader import StoreReader
from shopfloor.services.historian.read.states import time_in_state
from shopfloor.services.historian.read.summary import summarize_by
from shopfloor.services.historian.remote import Forward, Product, Target
from shopfloor.services.historian.selector import Selector

__all__ = [
    "Calendar",
    "Folder",
    "Forward",
    "Historian",
    "History",
    "Options",
    "Periods",
    "Product",
    "Retention",
    "Selector",
    "SequenceGap",
    "Shift",
    "SourceLedger",
    "StoreReader",
    "Stored",
    "Target",
    "explained",
    "open_folder",
    "summarize_by",
    "time_in_state",
]
