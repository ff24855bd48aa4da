"""The one style of all reports in HTML, and what a browser may do with them."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Final

STYLE: Final = Path(__file__).with_name("report.css").read_text("utf-8")
POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Content-Security-Policy of a report: its own style and nothing else; our own pages may frame it."""
