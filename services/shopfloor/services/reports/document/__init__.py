"""What a report says, in numbers: one module for each part. Times are UTC ns, lengths of time seconds.

A section that is None, or empty, has no data: the report says so in one sentence.
"""

from shopfloor.services.reports.document.alarms import AlarmLoad, Often, Standing
from shopfloor.services.reports.document.charts import ChartLine, Points, Trend
from shopfloor.services.reports.document.data import Account, Completeness, Silence
from shopfloor.services.reports.document.production import (
    Cause,
    Downtime,
    EnergyLine,
    Factors,
    Lane,
    Made,
    Oee,
    OrderLine,
    Reject,
    Stood,
)
from shopfloor.services.reports.document.report import Head, Report, Told, Unit
from shopfloor.services.reports.document.said import Advice, Drift, Noted, Predicted, Written

__all__ = [
    "Account",
    "Advice",
    "AlarmLoad",
    "Cause",
    "ChartLine",
    "Completeness",
    "Downtime",
    "Drift",
    "EnergyLine",
    "Factors",
    "Head",
    "Lane",
    "Made",
    "Noted",
    "Oee",
    "Often",
    "OrderLine",
    "Points",
    "Predicted",
    "Reject",
    "Report",
    "Silence",
    "Standing",
    "Stood",
    "Told",
    "Trend",
    "Unit",
    "Written",
]
