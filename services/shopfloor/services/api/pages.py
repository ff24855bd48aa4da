"""The pages, beside the API: documentation, login, and for every other path what the front end has."""

from __future__ import annotations

from fastapi import FastAPI, Request
from shopfloor.services.site import Site
from starlette.exceptions import HTTPException
from starlette.responses import Response


def add(app: FastAPI, site: Site) -> None:
    """Docs, login, and for every other path the pages."""

    @app.get("/docs", include_in_schema=False)
    def docs() -> Response:
        return site.own("docs.html")

    @app.get("/login", include_in_schema=False)
    def login_page() -> Response:
        return site.own("login.html")

    @app.get("/login.js", include_in_schema=False)
    def login_script() -> Response:
        return site.own("login.js")

    @app.get("/login.css", include_in_schema=False)
    def login_style() -> Response:
        return site.own("page.css")

    @app.get("/web/{name}", include_in_schema=False)
    def own(name: str) -> Response:
        return site.own(name)

    @app.api_route("/api/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def nothing(request: Request) -> Response:
        raise HTTPException(405 if request.method == "HEAD" else 404)

    @app.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    def page(path: str, request: Request) -> Response:
        return site.answer(path, request.headers.get("accept-encoding", ""))
