"""A picture on a page of a PDF."""

from __future__ import annotations

from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.platypus import Flowable
from shopfloor.services.reports.picture import INKS, Area, Label, Picture, Point, Shape, Stroke
from shopfloor.services.reports.render import fonts


class Drawn(Flowable):  # type: ignore[misc] # the library has no types
    """Draws the shapes of a picture as wide as it is told (points): what SVG shows, at the same places."""

    def __init__(self, picture: Picture, wide: float) -> None:
        super().__init__()
        self._picture, self._scale = picture, wide / picture.width
        self.width, self.height = wide, picture.height * self._scale

    def wrap(self, *_: float) -> tuple[float, float]:
        """How much room it takes."""
        return self.width, self.height

    def draw(self) -> None:
        """Draw; y grows upwards here."""
        canvas = self.canv
        canvas.saveState()
        canvas.scale(self._scale, self._scale)
        for shape in self._picture.shapes:
            self._shape(canvas, shape)
        canvas.restoreState()

    def _shape(self, canvas: Any, shape: Shape) -> None:
        match shape:
            case Stroke():
                canvas.setStrokeColor(HexColor(INKS[shape.ink]))
                canvas.setLineWidth(shape.width)
                canvas.setDash([4, 3] if shape.dashed else [])
                canvas.drawPath(self._path(canvas, shape.points), stroke=1, fill=0)
            case Area():
                canvas.setFillColor(HexColor(INKS[shape.ink]))
                canvas.setDash([])
                if shape.edge:
                    canvas.setLineWidth(1)
                    canvas.setStrokeColor(HexColor(INKS[shape.edge]))
                path = self._path(canvas, shape.points)
                path.close()
                canvas.drawPath(path, stroke=int(bool(shape.edge)), fill=1)
            case Label():
                self._label(canvas, shape)

    def _path(self, canvas: Any, points: tuple[Point, ...]) -> Any:
        path, high = canvas.beginPath(), self._picture.height
        path.moveTo(points[0][0], high - points[0][1])
        for x, y in points[1:]:
            path.lineTo(x, high - y)
        return path

    def _label(self, canvas: Any, label: Label) -> None:
        canvas.setFillColor(HexColor(INKS[label.ink]))
        share = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
        x = label.x - share * (fonts.width(label.text, label.size, label.bold) if share else 0.0)
        for font, part in fonts.runs(label.text, label.bold):
            canvas.setFont(font, label.size)
            canvas.drawString(x, self._picture.height - label.y, part)
            x += canvas.stringWidth(part, font, label.size)
