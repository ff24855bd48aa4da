"""From a file to a `PlantConfig`. The file is read here; nothing else of the vocabulary performs I/O."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError
from shopfloor.plant.config.assets import Known, expand
from shopfloor.plant.config.document import LARGEST, Document, parse, strings
from shopfloor.plant.config.explain import validate
from shopfloor.plant.config.plant import PlantConfig, SourceConfig
from shopfloor.plant.config.quality import ChartSection
from shopfloor.plant.config.reporting import checked_reports
from shopfloor.plant.config.sections import (
    AssetSection,
    PlantFile,
    PlantSection,
    SourceSection,
    SourcesFile,
    TagSection,
)
from shopfloor.plant.config.suppressing import checked_alarms
from shopfloor.plant.config.types import asset_type, check_chart, check_tag
from shopfloor.plant.config.words import Path, expectation
from shopfloor.plant.errors import ConfigError

Options = TypeVar("Options", bound=BaseModel)

CONNECTORS: Final = "shopfloor.connectors"
_SHIPPED: Final = frozenset({"opcua", "mqtt", "modbus", "sparkplug", "recording"})
_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"


def load(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> PlantConfig:
    """Read a plant file; whatever is wrong with it raises one `ConfigError` with a line per problem."""
    return loads(_read(FilePath(path)), str(path), environ)


def loads(text: str, name: str = "plant.yaml", environ: Mapping[str, str] = os.environ) -> PlantConfig:
    """Read the text of a plant file; `name` stands in front of every error's line.

    >>> config = loads('''
    ... plant: {site: delta}
    ... types: {pump: {tags: {flow: {unit: l/min}}}}
    ... assets: [{path: "delta/water/line-1/cell-1/pump-[1..2]", type: pump}]
    ... ''')
    >>> [asset.title for asset in config.assets], config.tag_paths()[0]
    (['Pump 1', 'Pump 2'], 'delta/water/line-1/cell-1/pump-1/flow')
    """
    document = parse(text.removeprefix(_BOM), name, environ)
    _check_passwords(document)
    file = validate(document, PlantFile, (), document.data)
    if file is None:
        _check_rest(document)
        document.raise_problems()
    assert file is not None  # noqa: S101 (raise_problems has raised)
    config = _build(document, file)
    document.raise_problems()
    return config


def load_sources(text: str, name: str, environ: Mapping[str, str] = os.environ) -> tuple[SourceConfig, ...]:
    """Read a text that holds only `sources`, as in a plant file; what is wrong raises `ConfigError` with its lines.

    A list of sources, or one source alone, is understood as well.

    >>> [source.name for source in load_sources("{name: hall, kind: mqtt}", "hall.yaml")]
    ['hall']
    """
    document = _within_sources(parse(text.removeprefix(_BOM), name, environ))
    _check_passwords(document)
    file = validate(document, SourcesFile, (), document.data)
    sources = _sources(document, dict(enumerate(file.sources))) if file else ()
    document.raise_problems()
    return sources


def _within_sources(document: Document) -> Document:
    """The document as if its list, or its one source, stood below `sources`."""
    place: Path
    match document.data:
        case list():
            place, data = ("sources",), document.data
        case dict() if "sources" not in document.data:
            place, data = ("sources", 0), [document.data]
        case _:
            return document
    keys = {(*place, *path): mark for path, mark in document.keys.items()}
    values = {(*place, *path): mark for path, mark in document.values.items()}
    return Document(document.name, {"sources": data}, keys, values, document.problems)


def options(source: SourceConfig, model: type[Options]) -> Options:
    """The keys of a source as its connector's options; problems raise `ConfigError` with their lines."""
    document = Document(source.document.name, source.document.data, source.document.keys, source.document.values)
    answer = validate(document, model, ("sources", source.index), dict(source.given))
    document.raise_problems()
    assert answer is not None  # noqa: S101 (raise_problems has raised)
    return answer


def check_options(config: PlantConfig, models: Mapping[str, type[BaseModel]]) -> None:
    """Validate the options of every source whose kind has a model; all problems come in one `ConfigError`."""
    wrong = []
    for source in config.sources:
        try:
            if source.kind in models:
                options(source, models[source.kind])
        except ConfigError as problem:
            wrong.append(str(problem))
    if wrong:
        raise ConfigError("\n".join(wrong))


def _read(path: FilePath) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError as problem:
        raise ConfigError(f"{path}: there is no such file: name a plant file, as in 'plant.yaml'.") from problem
    except IsADirectoryError as problem:
        raise ConfigError(
            f"{path}: this is a folder: name the plant file in it, as in '{path}/plant.yaml'."
        ) from problem
    except PermissionError as problem:
        raise ConfigError(f"{path}: this file cannot be read by this user: change its permissions.") from problem
    if len(data) > LARGEST:
        raise ConfigError(f"{path}: {len(data)} bytes are too many: a plant file has at most {LARGEST}.")
    try:
        return data.decode()
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise ConfigError(f"{path}:{line}:1: this line is not UTF-8: save the file as UTF-8.") from problem


def _build(document: Document, file: PlantFile) -> PlantConfig:
    plant = file.plant.model_copy(update={"title": file.plant.title or file.plant.site})
    known = Known(file.types, (plant.site, *plant.sites))
    assets = expand(document, dict(enumerate(file.assets)), known)
    return PlantConfig(
        plant=plant,
        types={name: asset_type(document, name, section) for name, section in file.types.items()},
        assets=assets,
        gateway=file.gateway,
        server=file.server,
        store=file.store,
        sources=_sources(document, dict(enumerate(file.sources))),
        alarms=checked_alarms(document, file),
        accounts=file.accounts,
        reports=checked_reports(document, file, assets),
    )


def _check_rest(document: Document) -> None:
    """Look at the entries that are right in themselves, so that one wrong key hides no other problem."""
    data = document.data if isinstance(document.data, dict) else {}
    types = _items(data.get("types"))
    for name, kind in types.items():
        tags = _valid(TagSection, _items(_items(kind).get("tags")))
        for tag, section in tags.items():
            check_tag(document, ("types", name, "tags", tag), section)
        if len(tags) == len(_items(_items(kind).get("tags"))):
            for chart_name, chart in _valid(ChartSection, _items(_items(kind).get("quality"))).items():
                check_chart(document, ("types", name, "quality", chart_name), chart, tags)
    plant = _valid(PlantSection, {"plant": data.get("plant")}).get("plant")
    if types:
        known = Known(list(types), (plant.site, *plant.sites) if plant else ())
        expand(document, _valid(AssetSection, _items(data.get("assets"))), known)
    _sources(document, _valid(SourceSection, _items(data.get("sources"))))


def _items(data: Any) -> dict[Any, Any]:
    return data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}


def _valid(model: type[Options], items: Mapping[Any, Any]) -> dict[Any, Options]:
    valid = {}
    for key, item in items.items():
        with suppress(ValidationError):
            valid[key] = model.model_validate(item)
    return valid


def _sources(document: Document, sections: Mapping[int, SourceSection]) -> tuple[SourceConfig, ...]:
    kinds = _SHIPPED | {point.name for point in entry_points(group=CONNECTORS)}
    names: dict[str, int] = {}
    for i, section in sections.items():
        where = document.place(("sources", i))
        if section.kind not in kinds:
            sentence = f"{section.kind!r} is no kind of source in {where}: {expectation(section.kind, kinds)}"
            document.blame(("sources", i, "kind"), sentence)
        if section.name in names:
            line = document.values["sources", names[section.name]][0]
            sentence = f"the source {section.name!r} is given twice (first in line {line}): rename one of them"
            document.blame(("sources", i, "name"), sentence)
        names.setdefault(section.name, i)
    return tuple(SourceConfig(s.name, s.kind, s.model_extra or {}, document, i) for i, s in sections.items())


def _check_passwords(document: Document) -> None:
    for path, text in strings(document.data):
        if "://" in text and "@" in text and _password(text):
            document.blame(path, _secret(document, path))
            document.unread.add(path)


def _secret(document: Document, path: Path) -> str:
    advice = "take it out of the URL, put it into a file and name that by 'password_file'"
    return f"a password stands in {document.place(path)}: {advice}"


def _password(url: str) -> Any:
    try:
        return urlsplit(url).password
    except ValueError:
        return None
