"""From values of tags to rows of features at moments: the same live, after a restart and in replay."""

from shopfloor.models.streaming.held import good_columns, sampled
from shopfloor.models.streaming.proved import proved_stream
from shopfloor.models.streaming.rows import Rows, Running, describe, described, rows
from shopfloor.models.streaming.streamspec import StreamSpec, streamed

__all__ = [
    "Rows",
    "Running",
    "StreamSpec",
    "describe",
    "described",
    "good_columns",
    "proved_stream",
    "rows",
    "sampled",
    "streamed",
]
