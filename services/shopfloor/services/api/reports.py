"""Reports of a shift or a day: made when asked for, or kept; and the list of those that are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from shopfloor.services.api.history import time_limits
from shopfloor.services.api.needs import changed, needs, who
from shopfloor.services.api.routes import Routes
from shopfloor.services.api.wire import ERRORS, NO_JSON, NOT_FOUND, answer
from shopfloor.services.clock import to_ms, to_ns
from shopfloor.services.reports.document import Unit
from shopfloor.services.reports.kept import Kept
from shopfloor.services.reports.names import file_name
from shopfloor.services.reports.render.policy import POLICY
from shopfloor.services.reports.reports import Reports, key_of
from shopfloor.services.reports.task import Wish, packed
from shopfloor.services.reports.told import Asked
from shopfloor.services.reports.words import Format, Language
from shopfloor.services.security.rights import Right
from starlette.responses import Response

_KINDS: Final = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "json": "application/json"}
_FILES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS.values()
        },
        "description": "The report.",
    }
}
At = Annotated[float | None, Query(description="Epoch ms within the shift or day; by default now.")]
Line = Annotated[str, Query(max_length=600, description="Path of a line, or of any part of the plant; empty: all.")]
Number = Annotated[int, Path(ge=0, lt=1 << 63)]


class LetterView(BaseModel):
    """A mail of a report: when it was sent (epoch ms; null: not yet), and what was in the way."""

    to: str
    sent: float | None
    problem: str


class ReportView(BaseModel):
    """A report on record. `state`: waits to be made, is made, waits for the mail server, was sent to everybody."""

    id: int
    schedule: str
    unit: Literal["shift", "day"]
    start: float
    end: float
    shift: str
    day: str
    line: str
    language: Literal["en", "zh"]
    format: Literal["html", "pdf"]
    by: str
    made: float | None
    file: str
    size: int
    state: Literal["waiting", "failed", "made", "sending", "sent"]
    problem: str
    mail: list[LetterView]


class ScheduleView(BaseModel):
    """A report that the plant file asks for."""

    model_config = ConfigDict(extra="allow")

    name: str
    every: Literal["shift", "day"]
    line: str


class ReportsView(BaseModel):
    """The schedule, and the newest reports first."""

    schedule: list[ScheduleView]
    reports: list[ReportView]


class PeriodView(BaseModel):
    """A shift or a day of the plant, and the beginnings of those around it; `after` is null until the next begins."""

    unit: Literal["shift", "day"]
    start: float
    end: float
    shift: str
    day: str
    over: bool
    before: float
    after: float | None
    timezone: str


class NewReport(BaseModel):
    """Which report to make and keep."""

    model_config = ConfigDict(extra="forbid")

    unit: Literal["shift", "day"] = "shift"
    at: float | None = Field(None, description="Epoch ms within the shift or day; by default now.")
    line: str = Field("", max_length=600)
    language: Literal["en", "zh"] = "en"
    format: Literal["html", "pdf"] = "pdf"


def view(kept: Kept, letters: list[dict[str, Any]]) -> dict[str, Any]:
    """A report as the API shows it."""
    mail = [one | {"sent": None if one["sent"] is None else to_ms(one["sent"])} for one in letters]
    words = ("id", "schedule", "unit", "shift", "day", "language", "format", "by", "file", "size", "problem")
    return {word: getattr(kept, word) for word in words} | {
        "start": to_ms(kept.start), "end": to_ms(kept.end), "line": kept.place, "mail": mail,
        "made": None if kept.made is None else to_ms(kept.made), "state": _state(kept, mail),
    }  # fmt: skip


def router(reports: Reports, letters: Callable[[str], list[dict[str, Any]]]) -> APIRouter:
    """`GET reports`, `reports/shift`, `…/day`, `…/period` and `…/{number}`; `POST reports` makes one and keeps it."""
    routes = Routes(tags=["reports"], responses=ERRORS | NOT_FOUND, dependencies=[needs(Right.SEE)])

    def made(request: Request, unit: Unit, at: float | None, line: str, wish: tuple[str, Language]) -> Response:
        kind, language = wish
        found = reports.period(unit, moment(at))
        asked = Asked(unit, found.start, line, who(request).name)
        name = file_name(line.strip("/"), found, kind)
        if kind == "json":
            return _file(packed(reports.made(asked, None).document), kind, name)
        form: Format = "pdf" if kind == "pdf" else "html"
        return _file(reports.made(asked, Wish(language, form)).file, kind, name)

    @routes.get("/reports", response_model=ReportsView)
    def get_reports(limit: Annotated[int, Query(ge=1, le=2_000)] = 200) -> Response:
        """List the reports that are kept, the newest first, and the schedule."""
        found = [view(one, letters(key_of(one))) for one in reports.kept.newest(limit)]
        return answer({"schedule": reports.schedule(), "reports": found})

    @routes.get("/reports/shift", response_class=Response, responses=_FILES)
    def get_shift(
        request: Request, at: At = None, line: Line = "", format: Literal["html", "pdf", "json"] = "html",  # noqa: A002
        lang: Literal["en", "zh"] = "en",
    ) -> Response:  # fmt: skip
        """Make the report of the shift of a moment; it is not kept. `json` is the document in numbers, times in ns."""
        return made(request, "shift", at, line, (format, lang))

    @routes.get("/reports/day", response_class=Response, responses=_FILES)
    def get_day(
        request: Request, at: At = None, line: Line = "", format: Literal["html", "pdf", "json"] = "html",  # noqa: A002
        lang: Literal["en", "zh"] = "en",
    ) -> Response:  # fmt: skip
        """Make the report of the local day of a moment; it is not kept."""
        return made(request, "day", at, line, (format, lang))

    @routes.get("/reports/period", response_model=PeriodView)
    def get_period(unit: Unit = "shift", at: At = None) -> Response:
        """Tell which shift or day a moment lies in, and those around it."""
        found = reports.period(unit, moment(at))
        before, after, over = reports.around(found)
        return answer({
            "unit": found.unit, "start": to_ms(found.start), "end": to_ms(found.end), "shift": found.shift,
            "day": found.day, "over": over, "before": to_ms(before), "after": None if after is None else to_ms(after),
            "timezone": reports.timezone,
        })  # fmt: skip

    @routes.get("/reports/{number}", response_class=Response, responses=_FILES)
    def get_report(number: Number) -> Response:
        """Give a report that is kept."""
        kept, data = reports.kept.read(number)
        return _file(data, kept.format, kept.file)

    @routes.post("/reports", dependencies=[needs(Right.REPORT)], response_model=ReportView, responses=NO_JSON)
    def make(request: Request, new: NewReport) -> Response:
        """Make a report and keep it."""
        found = reports.period(new.unit, moment(new.at))
        asked = Asked(new.unit, found.start, new.line, who(request).name)
        said = view(reports.make(asked, Wish(new.language, new.format)), [])
        changed(request, None, {word: said[word] for word in ("id", "file", "line", "start")})
        return answer(said)

    return routes


def moment(at: float | None) -> int | None:
    """A time that can be meant, in UTC ns."""
    time_limits(at, None)
    return None if at is None else to_ns(at)


def _file(data: bytes, kind: str, name: str) -> Response:
    """A file by its name: a browser shows HTML and PDF itself, and our own pages may frame them."""
    headers = {"Content-Disposition": f'inline; filename="{name}"'}
    headers |= {"Content-Security-Policy": POLICY, "X-Frame-Options": "SAMEORIGIN"} if kind == "html" else {}
    return Response(data, headers=headers, media_type=_KINDS[kind])


def _state(kept: Kept, mail: list[dict[str, Any]]) -> str:
    if kept.made is None:
        return "failed" if kept.problem else "waiting"
    if not mail:
        return "made"
    return "sent" if all(one["sent"] is not None for one in mail) else "sending"
