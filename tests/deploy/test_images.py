"""The Dockerfile and the compose file: linted, and about services that exist with settings that they have."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.alerts.settings import AlertsSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from services.model.settings import ModelSettings
from shared.settings import ServiceSettings
from tests.deploy.manifests import OVERLAYS, of_kind, pod_of, workloads
from tests.support.databases import ROOT

DEPLOY = ROOT / "deploy"
TOOLS = Path(sys.executable).parent
SETTINGS: dict[str, type[ServiceSettings]] = {
    "ingest": IngestSettings,
    "alerts": AlertsSettings,
    "model": ModelSettings,
    "model-worker": ModelSettings,
    "gateway": GatewaySettings,
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def test_the_dockerfile_is_clean() -> None:
    done = subprocess.run(
        [TOOLS / "hadolint", DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_the_yaml_is_clean() -> None:
    done = subprocess.run(
        [TOOLS / "yamllint", "--strict", "-c", DEPLOY / "yamllint.yaml", DEPLOY],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout


def test_an_image_can_be_made_of_every_service() -> None:
    """Each has its pinned packages, its code, and its stage."""
    stages = [line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if line.startswith("FROM ")]
    for service in ("ingest", "alerts", "model", "gateway"):
        assert f"FROM code AS {service}" in stages
        assert "--hash=sha256:" in (ROOT / "requirements" / f"{service}.txt").read_text()
        assert (ROOT / "services" / service / "__main__.py").exists()


def test_compose_tells_services_what_they_need_and_nothing_else(compose: dict[str, Any]) -> None:
    known = {f"FENCELINE_{name.upper()}" for one in SETTINGS.values() for name in one.model_fields}
    for name, settings in SETTINGS.items():
        told = compose["services"][name]["environment"]
        assert set(told) - {"MPLCONFIGDIR"} <= known, name
        required = {f"FENCELINE_{key.upper()}" for key, one in settings.model_fields.items() if one.is_required()}
        assert required <= set(told), name
        for secret in ("FENCELINE_DATABASE_URL", "FENCELINE_INTERNAL_TOKEN"):
            assert "${" in told[secret], "secrets stand in deploy/.env"


def test_compose_starts_services_after_their_migrations_and_opens_two_ports(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in SETTINGS:
        image = services[name]["image"].removeprefix("fenceline-")
        assert services[name]["depends_on"][f"migrate-{image}"] == {"condition": "service_completed_successfully"}
        assert services[f"migrate-{image}"]["command"] == ["python", "-m", "shared.migrate", image]
        assert services[name]["build"]["args"] == {"SERVICE": image}
        assert services[name]["read_only"] is True
    ports = {name: one["ports"] for name, one in services.items() if "ports" in one}
    hj212 = IngestSettings.model_fields["ingest_hj212_port"].default
    page = GatewaySettings.model_fields["gateway_port"].default
    assert ports == {"ingest": [f"{hj212}:{hj212}"], "gateway": [f"127.0.0.1:{page}:{page}"]}


def test_the_page_on_installing_names_every_key_of_the_secret() -> None:
    page = (DEPLOY.parent / "docs" / "operations" / "install.md").read_text()
    wanted = set()
    for overlay in OVERLAYS:
        for workload in workloads(overlay):
            for volume in pod_of(workload).get("volumes", []):
                wanted |= {item["key"] for item in volume.get("secret", {}).get("items", [])}
        for authentication in of_kind(overlay, "TriggerAuthentication"):
            wanted |= {entry["key"] for entry in authentication["spec"]["secretTargetRef"]}
    assert {"FENCELINE_DATABASE_URL", "KEDA_REDIS_ADDRESS"} <= wanted
    assert not [key for key in wanted if f"`{key}`" not in page]
    for overlay in OVERLAYS:
        assert f"({Path('../../deploy/k8s') / overlay})" in page
