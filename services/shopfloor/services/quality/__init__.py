"""Statistical process control: rational subgroups, control charts, rules, capability (ISO 7870, ISO 22514, AIAG SPC).

stored values ─► rows ─► subgroups ─► limits (phase I, then they stay) ─► evaluate: points, lines, broken rules
                               └────► capability
"""

from shopfloor.services.quality.charts import Chart, ChartRefused, Charts
from shopfloor.services.quality.listed import Listed

__all__ = ["Chart", "ChartRefused", "Charts", "Listed"]
