"""The examples of docs/mqtt.md do what the page says."""

import doctest
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml
from shopfloor.gateway.mqtt.columns import Columns
from shopfloor.gateway.mqtt.mapping import Mapping
from shopfloor.gateway.mqtt.options import TopicOptions
from shopfloor.plant import Kind, Tag, quality

PAGE = Path(__file__).parents[2] / "docs" / "mqtt.md"


class Forge:
    assets = ()

    def tag(self, path: str) -> Tag | None:
        return None if path.endswith("/mode") else Tag(path.rpartition("/")[2], Kind.FLOAT)


def read(form: str, topic: str, message: Any) -> None:
    """Print the values of a message as a person would note them."""
    columns = Columns()
    mapping = Mapping.of([TopicOptions.model_validate(yaml.safe_load(form))], Forge())
    mapping.read(topic.encode(), msgspec.json.encode(message), 0, columns)
    for batch in columns.batches():
        for sample in batch:
            time = datetime.fromtimestamp(sample.time / 1e9, UTC).isoformat(" ", "milliseconds")[:23]
            cells = time, "/".join(sample.tag.split("/")[4:]), str(sample.value), quality.name(sample.quality)
            sys.stdout.write("  ".join(cells) + "\n")


def test_the_examples_of_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False, globs={"read": read})
    assert found.attempted == 6
    assert found.failed == 0
