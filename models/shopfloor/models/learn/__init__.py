"""The training service: a table with roles in, a model with its proof out."""

from shopfloor.models.learn.learned import Learned, Prediction
from shopfloor.models.learn.roles import LearnError, Roles
from shopfloor.models.learn.table import Table, read_table
from shopfloor.models.learn.train import train

__all__ = ["LearnError", "Learned", "Prediction", "Roles", "Table", "read_table", "train"]
