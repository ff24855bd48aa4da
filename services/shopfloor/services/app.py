"""The composition root of the server: the only place that knows everybody."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from shopfloor.dashboards import PagesNotBuilt, static_folder
from shopfloor.gateway.version import installed_version
from shopfloor.plant import Batch
from shopfloor.plant.condition import is_conditions
from shopfloor.plant.config import PlantConfig
from shopfloor.services import clock, learned, store
from shopfloor.services.alarms import Alarms, Watched
from shopfloor.services.alarms.limits import Rule
from shopfloor.services.answers import Answers
from shopfloor.services.api import alarms as alarms_api
from shopfloor.services.api import (
    answered,
    assets,
    bundles,
    designed,
    events,
    ingest,
    journal,
    marks,
    models,
    pages,
    predictions,
    scores,
    setpoints,
    shelving,
    stream,
    tags,
    transitions,
    values,
    work_orders,
)
from shopfloor.services.api import drift as drift_api
from shopfloor.services.api import errands as errands_api
from shopfloor.services.api import gateways as gateways_api
from shopfloor.services.api import health as health_api
from shopfloor.services.api import inference as inference_api
from shopfloor.services.api import influx as influx_api
from shopfloor.services.api import ledger as ledger_api
from shopfloor.services.api import live as live_api
from shopfloor.services.api import maintenance as maintenance_api
from shopfloor.services.api import metrics as metrics_api
from shopfloor.services.api import production as production_api
from shopfloor.services.api import quality as quality_api
from shopfloor.services.api import registry as registry_api
from shopfloor.services.api import replays as replays_api
from shopfloor.services.api import reports as reports_api
from shopfloor.services.api import security as security_api
from shopfloor.services.api.apart import nobody_asks, two_persons
from shopfloor.services.api.described import Described
from shopfloor.services.api.limit import BodyLimit
from shopfloor.services.api.routes import serve
from shopfloor.services.api.wire import API, Problem, add_errors
from shopfloor.services.catalog import Catalog
from shopfloor.services.clock import Clock
from shopfloor.services.errands import Errands
from shopfloor.services.gateways import Gateways, Post, link_events
from shopfloor.services.health import PROCESSES, Health
from shopfloor.services.historian import Historian
from shopfloor.services.importing import Importing
from shopfloor.services.inference.models import models_of
from shopfloor.services.ledger import Account, accounts
from shopfloor.services.live import Live
from shopfloor.services.maintenance import Maintenance
from shopfloor.services.notify import Notifier
from shopfloor.services.production import Production
from shopfloor.services.production.alarmed import noted_at
from shopfloor.services.quality import Charts, Listed
from shopfloor.services.registry import Registry
from shopfloor.services.replaying import Replaying
from shopfloor.services.reports.reports import Reports
from shopfloor.services.reports.told import Services
from shopfloor.services.security import BUNDLES, Doors, Guard, GuardMiddleware, Tokens, gateway_token, is_loopback
from shopfloor.services.security.doors import open_doors
from shopfloor.services.security.noting import NotingMiddleware
from shopfloor.services.security.oidc import Provider
from shopfloor.services.security.oidc.watched import WatchedProvider
from shopfloor.services.security.trail import Trail
from shopfloor.services.site import SecureHeaders, Site
from shopfloor.services.thinking import Thinking
from starlette.middleware.gzip import GZipMiddleware

MakeBrain = Callable[[PlantConfig, Historian, Path, Clock, Registry, Callable[[], bool]], Thinking]


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that an open server consists of."""

    config: PlantConfig
    catalog: Catalog
    historian: Historian
    gateways: Gateways
    errands: Errands
    alarms: Alarms
    notifier: Notifier
    charts: Charts
    listed: Listed
    production: Production
    maintenance: Maintenance
    registry: Registry
    brain: Thinking
    replays: Replaying
    reports: Reports
    live: Live
    health: Health
    doors: Doors
    guard: Guard
    trail: Trail
    clock: Clock
    answers: Answers

    @property
    def tokens(self) -> Tokens:
        """The tokens of programs."""
        return self.doors.tokens

    def accounts(self) -> list[Account]:
        """The ledger, both sides joined."""
        return accounts(self.historian.ledger(), self.gateways.posts())


@contextmanager
def open_parts(
    config: PlantConfig,
    folder: Path,
    *,
    host: str | None = None,
    time: Clock = clock.now,
    make_brain: MakeBrain | None = None,
) -> Iterator[Parts]:
    """Open all parts on a data folder; leaving the block closes them, the last opened first."""
    with ExitStack() as stack:
        catalog = Catalog(config)
        historian = stack.enter_context(store.opened(config, folder / "store", time))
        store.recall(catalog, historian.reader)
        gateways = Gateways(folder, time)
        gateways.load()
        stack.callback(gateways.save)
        importing = Importing(config, gateways, historian.ledger)
        registry = stack.enter_context(
            Registry.open(folder / "registry", time, learned.card, lambda: [str(asset.path) for asset in config.assets])
        )
        brain = (make_brain or learned.brain)(config, historian, folder / "brain", time, registry, importing.complete)
        processes = os.environ.get(PROCESSES)
        watched = stack.enter_context(WatchedProvider(config.accounts.oidc))
        health: Health = Health(
            config, gateways, time, importing, lambda: store.told(historian), brain.status, lambda: alarms.alive,
            Path(processes) if processes else None, lambda: watched.sentence,
        )  # fmt: skip
        charts = Charts(config, historian.reader, folder / "quality", time, importing.complete)
        alarms = stack.enter_context(
            Alarms(folder / "alarms", config, _rules(catalog), _titles(catalog), time,
                   Watched(health.links, brain.predictions, charts.standing, charts.designed))
        )  # fmt: skip
        store.recall_states(alarms.suppression.see, alarms.suppression.tags, historian)
        store.recall_conditions(alarms.watch, alarms.followed(), historian)
        registry.alarmed = alarms.began
        listed = Listed(charts, time)
        live = Live(historian.reader, time, _states(alarms, brain, health, listed))
        production = stack.enter_context(
            Production.open(
                config,
                historian.reader,
                folder / "production",
                time,
                noted_at(alarms, brain.predictions, time),
                lambda: historian.missed,
            )
        )
        _connect(historian, catalog, gateways, (alarms, charts, production), live)
        notifier = stack.enter_context(
            Notifier(folder / "notify", config, time, alarms=alarms.open, flood=alarms.flood,
                     shift=production.planned.calendar.shift_at)
        )  # fmt: skip
        maintenance = stack.enter_context(
            Maintenance.open(folder / "maintenance", catalog, historian.reader, production, registry, brain, time)
        )
        charts.start()
        stack.callback(charts.stop)
        brain.start()
        stack.callback(brain.stop)
        replays = learned.replays(config, historian, registry)
        stack.callback(replays.close)
        asked = Services(
            config, catalog, alarms, charts, production, brain,
            lambda: accounts(historian.ledger(), gateways.posts()), time,
        )  # fmt: skip
        reports = stack.enter_context(Reports(folder, asked, notifier.post))
        trail = stack.enter_context(Trail.open(folder / "audit"))
        is_open = _is_open(config, host)
        doors = stack.enter_context(open_doors(folder, open_on_loopback=is_open, limits=config.accounts))
        guard = Guard(doors, gateway_token(folder), open_on_loopback=is_open)
        errands = Errands(gateways)
        yield Parts(
            config, catalog, historian, gateways, errands, alarms, notifier, charts, listed, production, maintenance,
            registry, brain, replays, reports, live, health, doors, guard, trail, time,
            Answers(alarms, errands, gateways, time),
        )  # fmt: skip


def create_app(parts: Parts) -> FastAPI:
    """The HTTP application on open parts."""
    app = Described(
        [Problem, influx_api.InfluxProblem, inference_api.InferenceError],
        title="Shopfloor",
        version=installed_version(),
        description="Values, history, predictions and alarms of a plant. Times are Unix epoch milliseconds, UTC.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(parts.live),
    )
    add_errors(app)
    serve(app, _api(parts))
    serve(app, influx_api.doors(parts.config, parts.historian, parts.clock))
    serve(app, [metrics_api.router(parts.historian), inference_api.router(models_of(parts.registry))])
    site = _site()
    pages.add(app, site)
    app.add_middleware(GZipMiddleware, minimum_size=1_000, compresslevel=3)
    app.add_middleware(BodyLimit, but=(f"{API}/ingest", BUNDLES, *influx_api.WRITES), below=f"{inference_api.PREFIX}/")
    app.add_middleware(NotingMiddleware, trail=parts.trail, clock=parts.clock)
    app.add_middleware(GuardMiddleware, guard=parts.guard)
    app.add_middleware(SecureHeaders, policy=site.policy())
    return app


def _api(parts: Parts) -> list[APIRouter]:
    """One router per noun, each with the parts it needs; what gateways and open pages ask all the time comes first."""
    reader = parts.historian.reader
    return [
        ingest.router(parts.historian, parts.catalog),
        errands_api.router(parts.errands),
        gateways_api.router(parts.gateways),
        live_api.router(parts.live, parts.guard),
        health_api.router(parts.health),
        assets.router(parts.catalog, reader, parts.alarms),
        tags.router(parts.catalog),
        *values.routers(parts.catalog, reader, parts.historian.history, parts.production.planned.calendar, parts.clock),
        predictions.router(parts.catalog, parts.brain, parts.clock),
        models.router(parts.brain),
        bundles.router(parts.registry),
        scores.router(parts.registry, parts.brain),
        registry_api.router(
            parts.registry, parts.brain.train_again, two_persons if parts.config.server.two_persons else nobody_asks
        ),
        marks.router(parts.registry, parts.catalog, parts.clock),
        replays_api.router(parts.registry, parts.replays),
        drift_api.router(parts.brain),
        alarms_api.router(parts.alarms, parts.answers, parts.notifier.state),
        answered.router(parts.alarms, parts.answers),
        designed.router(parts.alarms, parts.production.planned.calendar, parts.clock),
        shelving.router(parts.alarms, parts.answers, parts.production.planned.calendar, parts.clock),
        transitions.router(parts.alarms, parts.clock),
        quality_api.router(parts.charts, parts.listed, parts.clock),
        *production_api.routers(parts.production, parts.brain),
        maintenance_api.router(parts.maintenance),
        work_orders.router(parts.maintenance),
        reports_api.router(parts.reports, parts.notifier.letters),
        events.router(parts.alarms, parts.clock),
        stream.router(parts.live, parts.catalog, parts.guard),
        journal.router(parts.alarms, parts.clock),
        ledger_api.router(parts.accounts, lambda: int(parts.historian.stats()["rows"])),
        setpoints.router(parts.errands, parts.alarms.record, parts.clock),
        *security_api.routers(parts.doors, parts.trail, _provider(parts.config)),
    ]


def _lifespan(live: Live) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(live.run(), name="live")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    return lifespan


def _site() -> Site:
    try:
        return Site(static_folder())
    except PagesNotBuilt as missing:
        return Site(None, str(missing))


def _connect(
    historian: Historian, catalog: Catalog, gateways: Gateways, watching: tuple[Alarms, Charts, Production], live: Live
) -> None:
    """Stored values flow on to whoever looks at them, each told of itself; changes of links become events."""

    def learn(batch: Batch) -> None:
        catalog.learn(batch.names, batch.kind)

    def of_values(tell: Callable[[Batch], None]) -> Callable[[Batch], None]:
        return lambda batch: None if batch.names and is_conditions(batch.names[0]) else tell(batch)

    def posted(post: Post, previous: Post | None) -> None:
        for event in link_events(post, previous):
            watching[0].record(event)

    alarms, charts, production = watching
    historian.subscribe(of_values(learn))
    historian.subscribe(alarms.watch)
    for tell in (charts.watch, production.watch, live.add):
        historian.subscribe(of_values(tell))
    gateways.subscribe(posted)


def _states(alarms: Alarms, brain: Thinking, health: Health, listed: Listed) -> dict[str, Callable[[], Any]]:
    """What the live socket shows besides values."""
    return {
        "alarms": lambda: [alarms_api.shown(alarms, alarm) for alarm in alarms.open()],
        "predictions": lambda: list(brain.predictions()),
        "health": health.answer,
        "charts": listed.rows,
    }


def _rules(catalog: Catalog) -> list[Rule]:
    return [
        Rule(entry.path, entry.asset, catalog.assets[entry.asset].title, entry.tag, limit)
        for entry in catalog.tags.values()
        for limit in entry.tag.limits
    ]


def _titles(catalog: Catalog) -> dict[str, str]:
    return {path: asset.title for path, asset in catalog.assets.items()}


def _provider(config: PlantConfig) -> Provider | None:
    return Provider(config.accounts.oidc) if config.accounts.oidc else None


def _is_open(config: PlantConfig, host: str | None) -> bool:
    """Whether this machine needs no account; a plant with an identity provider has people who sign in."""
    if config.accounts.oidc:
        return False
    return config.server.security == "loopback" and is_loopback(host or config.server.host)
