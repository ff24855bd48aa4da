"""What a plant file says of reports must fit its shifts, its assets and its mail server."""

from __future__ import annotations

from collections.abc import Collection

from shopfloor.plant.asset import Asset
from shopfloor.plant.config.document import Document
from shopfloor.plant.config.reports import ReportSection, ReportsSection
from shopfloor.plant.config.sections import PlantFile
from shopfloor.plant.config.words import Path, expectation


def checked_reports(document: Document, file: PlantFile, assets: Collection[Asset]) -> ReportsSection:
    """The section on reports; what names something that the plant does not have is noted in the document."""
    places = _places(assets)
    for i, report in enumerate(file.reports.schedule):
        _check(document, ("reports", "schedule", i), report, file, places)
    return file.reports


def _check(document: Document, at: Path, report: ReportSection, file: PlantFile, places: Collection[str]) -> None:
    known = [shift.name for shift in file.plant.shifts]
    where = f"in the report {report.name!r}"
    if report.every == "shift" and not known:
        said = f"the plant has no shifts {where}: write 'every: day', or add 'shifts' to 'plant'"
        document.blame((*at, "every"), said)
    for name in report.shifts if known else ():
        if name not in known:
            document.blame((*at, "shifts"), f"{name!r} is no shift of 'plant' {where}: {expectation(name, known)}")
    if report.line and report.line not in places:
        said = f"{report.line!r} is no part of the plant {where}: {expectation(report.line, places)}"
        document.blame((*at, "line"), said)
    if report.mail and file.alarms.notify.mail is None:
        said = f"the report {report.name!r} is mailed and no mail server is named: add 'mail' to 'notify' of 'alarms'"
        document.blame((*at, "mail"), said)


def _places(assets: Collection[Asset]) -> list[str]:
    """Every path of a part of the plant: sites, areas, lines, cells and assets."""
    parts = (str(asset.path).split("/") for asset in assets)
    return list(dict.fromkeys("/".join(path[:n]) for path in parts for n in range(1, len(path) + 1)))
