"""What the scores are asked, in SQL, and the tables that they are kept in."""

from __future__ import annotations

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS prediction (
    name TEXT NOT NULL, number INTEGER NOT NULL, asset TEXT NOT NULL, window_end INTEGER NOT NULL, part TEXT NOT NULL,
    id TEXT NOT NULL, sha TEXT NOT NULL, live INTEGER NOT NULL, value REAL, low REAL, high REAL, latency_us REAL,
    PRIMARY KEY (name, number, asset, window_end)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS prediction_part ON prediction (name, number, asset, part);
CREATE INDEX IF NOT EXISTS prediction_id ON prediction (id);
CREATE INDEX IF NOT EXISTS prediction_time ON prediction (name, number, window_end);
CREATE TABLE IF NOT EXISTS seen (
    asset TEXT NOT NULL, window_end INTEGER NOT NULL, since INTEGER NOT NULL, size INTEGER NOT NULL,
    marks BLOB NOT NULL, PRIMARY KEY (asset, window_end)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS looked (
    name TEXT NOT NULL, number INTEGER NOT NULL, asset TEXT NOT NULL, window_end INTEGER NOT NULL,
    since INTEGER NOT NULL, size INTEGER NOT NULL, marks BLOB NOT NULL,
    PRIMARY KEY (name, number, asset, window_end)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS label (
    name TEXT NOT NULL, asset TEXT NOT NULL, part TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    low REAL NOT NULL, high REAL NOT NULL, known INTEGER NOT NULL, PRIMARY KEY (name, asset, part, start, end)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS label_known ON label (name, known);
"""
_JOIN: Final = """
SELECT p.asset, p.window_end, p.value, p.low, p.high, q.value, l.low, l.high, l.known, l.end - l.start
FROM {labels} l
JOIN prediction p {index} ON p.name = :name AND p.number = :number AND p.asset = l.asset AND {how}
LEFT JOIN prediction q
    ON q.name = :name AND q.number = :against AND q.asset = p.asset AND q.window_end = p.window_end
WHERE +p.window_end >= :since AND p.value IS NOT NULL{more}
"""
"""The `+` keeps SQLite from looking for `since` in an index: the part, or the time of the label, finds far fewer."""
_WAYS: Final = (
    {"index": "", "which": "part = ''", "how": "p.window_end BETWEEN l.start AND l.end"},
    {"index": "INDEXED BY prediction_part", "which": "part != ''", "how": "p.part = l.part"},
)
"""How a label finds its windows: by the time, the narrowest counts; or by the part, which counts where both do."""
_NEWEST: Final = "(SELECT * FROM label WHERE name = :name AND {which} ORDER BY known DESC LIMIT :most)"
_OLDEST: Final = "(SELECT * FROM label WHERE name = :name AND {which} AND known >= :first ORDER BY known)"
OF_NEWEST: Final = [_JOIN.format(labels=_NEWEST.format(**way), more="", **way) for way in _WAYS]
OF_OLDEST: Final = [
    _JOIN.format(labels=_OLDEST.format(**way), more=" AND q.value IS NOT NULL LIMIT :most", **way) for way in _WAYS
]
DAYS: Final = """
SELECT asset, window_end / :day, COUNT(*), MAX(value) FROM prediction INDEXED BY prediction_time
WHERE name = :name AND number = :number AND window_end >= :since AND value IS NOT NULL GROUP BY 1, 2
"""
KEPT_ROWS: Final = """
SELECT p.name, p.number, p.sha, p.asset, p.window_end, p.live, p.value, p.low, p.high, p.latency_us, p.part,
    COALESCE(k.since, s.since), COALESCE(k.size, s.size), COALESCE(k.marks, s.marks)
FROM prediction p
LEFT JOIN looked k ON k.name = p.name AND k.number = p.number AND k.asset = p.asset AND k.window_end = p.window_end
LEFT JOIN seen s ON s.asset = p.asset AND s.window_end = p.window_end
WHERE {where} ORDER BY p.window_end DESC LIMIT ?
"""
"""`seen` was written before models could look at one window in several ways; nothing is added to it."""
BESIDE: Final = """
SELECT p.asset, p.window_end, p.live, p.value, p.low, p.high, q.number, q.value, q.low, q.high
FROM prediction p LEFT JOIN prediction q
    ON q.name = p.name AND q.number IN ({others}) AND q.asset = p.asset AND q.window_end = p.window_end AND q.live
WHERE p.name = ? AND p.number = ? ORDER BY p.window_end DESC, p.asset LIMIT ?
"""
