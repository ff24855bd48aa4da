"""Backups of a data folder: taken while its server runs, checked as a whole, restored into an empty folder."""

from shopfloor.services.backup.manifest import MANIFEST, Entry, Manifest
from shopfloor.services.backup.restore import Restored, restore
from shopfloor.services.backup.source import open_backup
from shopfloor.services.backup.take import take

__all__ = ["MANIFEST", "Entry", "Manifest", "Restored", "open_backup", "restore", "take"]
