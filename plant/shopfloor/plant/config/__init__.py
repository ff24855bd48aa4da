"""The plant file: one YAML file that describes a plant.

`load(path)` answers a `PlantConfig` or raises `ConfigError`, whose message has one line per problem:
`plant.yaml:12:5: what is wrong, where, what was expected, the next step.` `docs/plant-file.md` lists every key.
`${NAME}` and `${NAME:-default}` in a value stand for environment variables.
"""

from shopfloor.plant.config.accounts import AccountsSection, OidcSection
from shopfloor.plant.config.alarms import AlarmsSection, FirstOutSection, LimitSection, SuppressSection
from shopfloor.plant.config.broker import BrokerSection, SparkplugSection, UnsSection
from shopfloor.plant.config.influx import InfluxDoorSection
from shopfloor.plant.config.loading import CONNECTORS, check_options, load, load_sources, loads, options
from shopfloor.plant.config.notify import MailSection, NotifySection, RouteSection, StepSection
from shopfloor.plant.config.plant import AssetType, PlantConfig, SourceConfig
from shopfloor.plant.config.production import Activity, ProcessSection, ProductionSection, ResultSection
from shopfloor.plant.config.quality import ChartKind, ChartSection, RuleName, SpecificationSection, SubgroupSection
from shopfloor.plant.config.reports import ReportSection, ReportsSection
from shopfloor.plant.config.section import Name, Number, Section, Whole, is_loopback, url_of
from shopfloor.plant.config.sections import (
    BreakSection,
    GatewaySection,
    PlantFile,
    PlantSection,
    ServerSection,
    ShiftSection,
    WhenFull,
    WriteOptions,
)
from shopfloor.plant.config.store import ForwardSection, HttpUrl, InfluxSection, StoreSection, StoreServer
from shopfloor.plant.config.units import Duration, Size, duration, size

__all__ = [
    "CONNECTORS",
    "AccountsSection",
    "Activity",
    "AlarmsSection",
    "AssetType",
    "BreakSection",
    "BrokerSection",
    "ChartKind",
    "ChartSection",
    "Duration",
    "FirstOutSection",
    "ForwardSection",
    "GatewaySection",
    "HttpUrl",
    "InfluxDoorSection",
    "InfluxSection",
    "LimitSection",
    "MailSection",
    "Name",
    "NotifySection",
    "Number",
    "OidcSection",
    "PlantConfig",
    "PlantFile",
    "PlantSection",
    "ProcessSection",
    "ProductionSection",
    "ReportSection",
    "ReportsSection",
    "ResultSection",
    "RouteSection",
    "RuleName",
    "Section",
    "ServerSection",
    "ShiftSection",
    "Size",
    "SourceConfig",
    "SparkplugSection",
    "SpecificationSection",
    "StepSection",
    "StoreSection",
    "StoreServer",
    "SubgroupSection",
    "SuppressSection",
    "UnsSection",
    "WhenFull",
    "Whole",
    "WriteOptions",
    "check_options",
    "duration",
    "is_loopback",
    "load",
    "load_sources",
    "loads",
    "options",
    "size",
    "url_of",
]
