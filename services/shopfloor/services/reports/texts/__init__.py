"""Texts of reports, English and Chinese, by section. Who adds one gives both; `{name}` is filled in."""

from typing import Final

from shopfloor.services.reports.texts.alarms import ALARMS
from shopfloor.services.reports.texts.data import DATA
from shopfloor.services.reports.texts.models import MODELS
from shopfloor.services.reports.texts.page import PAGE
from shopfloor.services.reports.texts.pairs import Pairs
from shopfloor.services.reports.texts.production import PRODUCTION
from shopfloor.services.reports.texts.quality import QUALITY

TEXTS: Final[Pairs] = {**PAGE, **DATA, **PRODUCTION, **ALARMS, **QUALITY, **MODELS}
