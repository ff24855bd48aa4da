"""Notification: alarms that nobody acknowledged go to people by e-mail or webhook, step by step."""

from shopfloor.services.notify.notifier import Notifier
from shopfloor.services.notify.outbox import Outbox

__all__ = ["Notifier", "Outbox"]
