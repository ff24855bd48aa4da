"""Tests of the registry share small sealed folders and the way to open a registry."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
