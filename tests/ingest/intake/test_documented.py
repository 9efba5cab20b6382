"""What the documentation shows can be done as it stands there."""

import json
import re
from pathlib import Path

import yaml

from services.ingest.intake.bodies import rows_of
from services.ingest.mqtt.extract import Extractor
from services.ingest.mqtt.templates import Templates
from shared.time import utc_now

DOCS = Path(__file__).parents[3] / "docs" / "ingest"


def test_the_columns_that_are_shown() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", (DOCS / "sending.md").read_text(), re.DOTALL)
    rows = rows_of(block.encode(), "application/json")
    assert (len(rows), rows.refused) == (3, {})
    (inline,) = re.findall(r'`(\{"observations".*?\})`', (DOCS / "sending.md").read_text())
    assert len(rows_of(inline.encode(), "application/json")) == 1


def test_the_templates_that_are_shown() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "mqtt.md").read_text(), re.DOTALL)
    templates = Templates.model_validate(yaml.safe_load(block)).templates
    messages = re.findall(r"# (\S+)  (\{.*\})", block)
    assert len(messages) == len(templates)
    found = [
        Extractor(template).rows(topic, json.dumps(json.loads(message)).encode(), utc_now())
        for template, (topic, message) in zip(templates, messages, strict=True)
    ]
    assert [[(row["station"], row["property"], row["value"]) for row in rows] for rows in found] == [
        [("s01", "chlorine", 0.12), ("s01", "ammonia", 3.4)],
        [("s01", "chlorine", 0.1)],
    ]
