"""Manifests say what the code says: settings, ports, paths, modules, addresses, number of replicas."""

import importlib.util
import os
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.alerts.app import build_app as build_alerts
from services.alerts.settings import AlertsSettings
from services.gateway.app import build as build_gateway
from services.gateway.settings import GatewaySettings
from services.ingest.app import build_app as build_ingest
from services.ingest.settings import IngestSettings
from services.model.app import build_app as build_model
from services.model.queueing import QUEUE
from services.model.settings import ModelSettings
from shared.migrate import MigrationSettings
from shared.settings import ServiceSettings, Settings
from shared.streams import WORK, WorkQueue
from tests.deploy.manifests import (
    OVERLAYS,
    Manifest,
    containers,
    environment,
    name_of,
    of_kind,
    open_ports,
    ours,
    pod_of,
    render,
    settings_map,
)

SETTINGS: dict[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "alerts": AlertsSettings,
    "model": ModelSettings,
    "model-worker": ModelSettings,
    "gateway": GatewaySettings,
}
OF_OTHERS = {"FENCELINE_SECRETS_DIR", "MPLCONFIGDIR", "FORWARDED_ALLOW_IPS"}
"""Names that no settings class has: the first says where its files are, the others are Matplotlib's and Uvicorn's."""


def settings_of(container: Manifest, workload: Manifest) -> type[Settings]:
    """The service's own in its container; what prepares (migration, gate) knows the database alone."""
    return (
        SETTINGS.get(name_of(workload), MigrationSettings)
        if container["name"] == name_of(workload)
        else MigrationSettings
    )


def names(settings: type[Settings]) -> dict[str, bool]:
    """The environment names of a settings class, and whether each must be set."""
    return {f"FENCELINE_{name.upper()}": field.is_required() for name, field in settings.model_fields.items()}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_name_is_a_setting_and_every_required_setting_is_set(overlay: str) -> None:
    every_name = {name for settings in SETTINGS.values() for name in names(settings)}
    for workload in ours(overlay):
        for container in containers(workload):
            where = f"{name_of(workload)}/{container['name']}"
            told = environment(overlay, workload, container)
            its_own = names(settings_of(container, workload))
            directly = {entry["name"] for entry in container["env"]} - OF_OTHERS
            assert directly <= set(its_own), where
            assert set(told) - OF_OTHERS <= every_name, where
            missing = {name for name, required in its_own.items() if required} - set(told)
            assert not missing, f"{where}: {missing}"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_value_is_one_that_its_settings_take(
    overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settings are read as the process would read them: the environment, and the Secret as files in a folder."""
    values = {
        "FENCELINE_DATABASE_URL": "postgresql://fenceline@postgres/fenceline",
        "FENCELINE_REDIS_URL": "redis://redis:6379/0",
    }
    for workload in ours(overlay):
        for container in containers(workload):
            for name in [name for name in os.environ if name.startswith("FENCELINE_")]:
                monkeypatch.delenv(name)
            folder = tmp_path / name_of(workload) / container["name"]
            folder.mkdir(parents=True)
            for name, value in environment(overlay, workload, container).items():
                if value is None:
                    (folder / name).write_text(values.get(name, "x" * 40))
                else:
                    monkeypatch.setenv(name, value)
            monkeypatch.setenv("FENCELINE_SECRETS_DIR", str(folder))
            read = settings_of(container, workload).load()
            assert read.log_level == "info"
            if isinstance(read, AlertsSettings):
                replicas = range(workload["spec"]["replicas"])
                shards = [shard for number in replicas for shard in read.owned_shards(f"alerts-{number}")]
                assert sorted(shards) == list(range(read.observation_shards)), "each shard has one replica"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_no_secret_stands_in_a_manifest(overlay: str) -> None:
    secret = {
        f"FENCELINE_{name.upper()}"
        for settings in SETTINGS.values()
        for name, field in settings.model_fields.items()
        if SecretStr in (field.annotation, *getattr(field.annotation, "__args__", ()))
    }
    assert "FENCELINE_DATABASE_URL" in secret
    assert "FENCELINE_INGEST_MQTT_PASSWORD" in secret
    assert not of_kind(overlay, "Secret")
    assert not secret & set(settings_map(overlay))
    for workload in ours(overlay):
        for container in containers(workload):
            told = environment(overlay, workload, container)
            assert not [name for name in secret & set(told) if told[name] is not None], name_of(workload)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_command_is_a_module_of_ours(overlay: str) -> None:
    for workload in ours(overlay):
        for container in containers(workload):
            python, dash_m, module, *rest = container["command"]
            assert (python, dash_m) == ("python", "-m")
            assert importlib.util.find_spec(module) is not None, module
            image = container["image"].rsplit("/", 1)[-1].split(":")[0].removeprefix("fenceline-")
            if module.startswith("services."):
                assert module.split(".")[1] == image, "the image has only its own service"
            else:
                assert rest[0] == image, "the image has only its own migrations"


@cache
def application(workload: str) -> FastAPI:
    given: dict[str, Any] = {
        "database_url": SecretStr("postgresql://nobody@127.0.0.1:1/none"),
        "redis_url": SecretStr("redis://127.0.0.1:1/0"),
        "internal_token": SecretStr("x" * 40),
    }
    match workload:
        case "ingest":
            return build_ingest(IngestSettings(**given))
        case "alerts":
            return build_alerts(AlertsSettings(**given))
        case "model":
            return build_model(ModelSettings(**given))
        case _:
            return build_gateway(GatewaySettings(**given))


@pytest.mark.parametrize("overlay", OVERLAYS)
async def test_every_port_and_path_is_there(overlay: str) -> None:
    services = {name_of(one): one["spec"] for one in of_kind(overlay, "Service")}
    for workload in ours(overlay):
        name = name_of(workload)
        if name in ("migrate", "model-worker"):
            continue
        [container] = pod_of(workload)["containers"]
        fields = SETTINGS[name].model_fields
        wanted = {"http": fields[f"{name}_port"].default}
        if name == "ingest":
            wanted["hj212"] = fields["ingest_hj212_port"].default
        assert dict(open_ports(container)) == wanted
        transport = httpx.ASGITransport(application(name))
        async with httpx.AsyncClient(transport=transport, base_url="http://pod") as client:
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                asked = container[probe]["httpGet"]
                assert asked["port"] == "http"
                answer = await client.get(asked["path"])
                # Set up but not started: it lives, and takes no work yet.
                assert answer.status_code == (200 if probe == "livenessProbe" else 503), asked
                assert answer.json()["service"] == name
        assert services[name]["ports"][0]["port"] == wanted["http"]
    assert services["hj212"]["externalTrafficPolicy"] == "Local"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_addresses_of_services_lead_to_them(overlay: str) -> None:
    services = {name_of(one): one["spec"] for one in of_kind(overlay, "Service")}
    told = settings_map(overlay)
    for name in ("ingest", "alerts", "model"):
        [port] = services[name]["ports"]
        assert told[f"FENCELINE_{name.upper()}_URL"] == f"http://{name}:{port['port']}"
        assert services[name]["selector"]["app.kubernetes.io/name"] == name


def test_what_scales_workers_looks_at_their_queue() -> None:
    looked_at = [
        trigger["metadata"]
        for overlay in OVERLAYS
        for scaled in render(overlay)
        if scaled["kind"] == "ScaledObject" and scaled["spec"]["scaleTargetRef"]["name"] == "model-worker"
        for trigger in scaled["spec"]["triggers"]
        if trigger["type"] == "redis-streams"
    ]
    assert looked_at
    for trigger in looked_at:
        assert (trigger["stream"], trigger["consumerGroup"]) == (WORK + QUEUE, WorkQueue.GROUP)
