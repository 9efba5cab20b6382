"""What docs/alerts/rules.md shows can be sent."""

import re
from pathlib import Path

from services.alerts.api.rule_schemas import OverrideBody, OverrideNextVersion
from services.alerts.api.trials import TrialBody
from shared.park_file import RuleNumbers

PAGE = Path(__file__).parents[3] / "docs" / "alerts" / "rules.md"


def test_the_bodies_on_the_page_are_taken() -> None:
    shown = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    bodies: tuple[type[RuleNumbers], ...] = (OverrideBody, OverrideNextVersion, TrialBody)
    assert len(shown) == len(bodies)
    for model, body in zip(bodies, shown, strict=True):
        assert isinstance(model.model_validate_json(body), RuleNumbers)
