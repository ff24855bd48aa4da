"""Maintenance: what wears and how soon it must be seen to, work orders, and how often predictions came true."""

from shopfloor.services.maintenance.maintenance import Maintenance
from shopfloor.services.maintenance.work_order import (
    Found,
    MaintenanceRefused,
    MaintenanceUnknown,
    WorkOrder,
    WorkState,
)

__all__ = ["Found", "Maintenance", "MaintenanceRefused", "MaintenanceUnknown", "WorkOrder", "WorkState"]
