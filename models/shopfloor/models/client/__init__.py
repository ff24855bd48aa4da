"""What a notebook asks a running server for, one call each."""

from shopfloor.models.client.ask import history
from shopfloor.models.client.dataset import dataset
from shopfloor.models.client.deploy import deploy
from shopfloor.models.client.deployed import Deployed
from shopfloor.models.client.events import alarms, downtime, scrap
from shopfloor.models.client.history import History
from shopfloor.models.client.labelled import Dataset

__all__ = ["Dataset", "Deployed", "History", "alarms", "dataset", "deploy", "downtime", "history", "scrap"]
