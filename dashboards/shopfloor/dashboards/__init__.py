"""The compiled pages: where they are, and what to do when they were not compiled."""

from __future__ import annotations

from pathlib import Path

from shopfloor.plant.errors import ShopfloorError


class PagesNotBuilt(ShopfloorError):  # noqa: N818 (a state of the installation)
    """The front-end bundle is missing from this installation."""


def static_folder() -> Path:
    """Folder with `index.html` and `assets/`; `PagesNotBuilt` says the next step when it is missing."""
    return built_pages(Path(__file__).parent / "static")


def built_pages(folder: Path) -> Path:
    """Return `folder` when it holds compiled pages.

    Raises:
        PagesNotBuilt: there is no `index.html` in it.

    """
    if (folder / "index.html").is_file():
        return folder
    raise PagesNotBuilt(
        f"The dashboards are not built: {folder} has no index.html; run `make install` "
        "(or `npm ci && npm run build` in the folder dashboards), then start again."
    )
