import pytest

from services.alerts.settings import AlertsSettings
from shared.streams import OBSERVATION_SHARDS

BASE = {"database_url": "postgresql://x", "redis_url": "redis://x", "internal_token": "x" * 32}


def settings(**more: object) -> AlertsSettings:
    return AlertsSettings.model_validate(BASE | more)


def test_alone_it_owns_every_shard() -> None:
    assert settings().owned_shards("any-name") == list(range(OBSERVATION_SHARDS))


@pytest.mark.parametrize("replicas", [1, 2, 3, 5, 20])
def test_no_shard_is_evaluated_by_two_or_by_none(replicas: int) -> None:
    owned = [
        shard
        for ordinal in range(replicas)
        for shard in settings(alerts_replicas=replicas).owned_shards(f"alerts-{ordinal}")
    ]
    assert sorted(owned) == list(range(OBSERVATION_SHARDS))


def test_the_set_ordinal_goes_before_the_host_name() -> None:
    assert settings(alerts_replicas=3, alerts_ordinal=2).ordinal("alerts-1") == 2


def test_what_cannot_be_is_refused_with_the_settings_name() -> None:
    with pytest.raises(ValueError, match="FENCELINE_ALERTS_ORDINAL: not set"):
        settings(alerts_replicas=2).ordinal("laptop")
    with pytest.raises(ValueError, match="3 is not below FENCELINE_ALERTS_REPLICAS"):
        settings(alerts_replicas=2).ordinal("alerts-3")
