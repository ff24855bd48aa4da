"""Tests of the notebook's client share the server of the services' tests, and a simulated past."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "services"), str(Path(__file__).parent)]
