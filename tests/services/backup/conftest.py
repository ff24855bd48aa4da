"""Tests of backups share a store that never rests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
