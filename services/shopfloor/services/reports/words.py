"""The words of a report, English and Chinese side by side, and how it writes numbers and times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from shopfloor.services.historian.options import NS
from shopfloor.services.reports.texts import TEXTS

Language = Literal["en", "zh"]
Format = Literal["html", "pdf"]
NONE: Final = "–"


@dataclass(frozen=True, slots=True)
class Words:
    """Writes in one language, with the times of one time zone."""

    language: Language
    timezone: str = "UTC"

    def t(self, key: str, **values: object) -> str:
        """A text.

        >>> Words("en").t("oee"), Words("zh").t("stops")
        ('OEE', '停机')
        """
        return TEXTS[key][self.language == "zh"].format(**values)

    def known(self, group: str, name: str) -> str:
        """A word of the server in this language; one that is not known stays as it is."""
        found = TEXTS.get(f"{group}.{name}")
        return found[self.language == "zh"] if found else name

    def share(self, value: float | None, digits: int = 1) -> str:
        """A share in per cent.

        >>> Words("en").share(0.6213), Words("en").share(None)
        ('62.1 %', '–')
        """
        return NONE if value is None else f"{100 * value:.{digits}f} %"

    def number(self, value: float | None, digits: int = 0, unit: str = "") -> str:
        """A number with its unit.

        >>> Words("en").number(1234.5, 1, "kWh"), Words("en").number(-0.01, 1)
        ('1,234.5 kWh', '0.0')
        """
        if value is None:
            return NONE
        text = f"{value:,.{digits}f}"
        text = text.lstrip("-") if not text.strip("-0.,") else text
        return f"{text} {unit}" if unit else text

    def span(self, seconds: float) -> str:
        """A length of time.

        >>> Words("en").span(4350), Words("en").span(42), Words("zh").span(90), Words("en").span(-60)
        ('1 h 12 min', '42 s', '1 min 30 s', '−1 min')
        """
        sign, whole = "−" if round(seconds) < 0 else "", abs(round(seconds))
        hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
        parts = [(hours, "h"), (minutes, "min")] if hours else [(minutes, "min"), (rest, "s")]
        return sign + (" ".join(f"{n} {unit}" for n, unit in parts if n) or "0 s")

    def clock(self, ns: int) -> str:
        """A local time of day.

        >>> Words("en", "Europe/Berlin").clock(0)
        '01:00'
        """
        return self._local(ns).strftime("%H:%M")

    def moment(self, ns: int) -> str:
        """A local day and time.

        >>> Words("en").moment(0)
        '1970-01-01 00:00'
        """
        return self._local(ns).strftime("%Y-%m-%d %H:%M")

    def zone(self, ns: int) -> str:
        """The time zone at a time, with its distance from UTC.

        >>> Words("en", "Asia/Shanghai").zone(0)
        'Asia/Shanghai, UTC+08:00'
        """
        text = self._local(ns).strftime("%z")
        return f"{self.timezone}, UTC{text[:3]}:{text[3:5]}"

    def _local(self, ns: int) -> datetime:
        return datetime.fromtimestamp(ns // NS, ZoneInfo(self.timezone))
