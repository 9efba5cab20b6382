"""The rendered manifests, as tests ask about them."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.support.databases import ROOT

K8S = ROOT / "deploy" / "k8s"
OVERLAYS = sorted(f"overlays/{path.parent.name}" for path in K8S.glob("overlays/*/kustomization.yaml"))
WORKLOAD_KINDS = ("Deployment", "StatefulSet", "Job")
OURS = ("migrate", "ingest", "alerts", "model", "model-worker", "gateway")

Manifest = dict[str, Any]


@cache
def render(overlay: str) -> list[Manifest]:
    """What `kubectl apply -k` would send."""
    beside = Path(sys.executable).parent / "kubectl"
    kubectl = str(beside) if beside.exists() else shutil.which("kubectl")
    assert kubectl is not None, "kubectl is not installed: make k8s-check installs it"
    done = subprocess.run(
        [kubectl, "kustomize", str(K8S / overlay)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def of_kind(overlay: str, *kinds: str) -> list[Manifest]:
    """The manifests of some kinds."""
    return [manifest for manifest in render(overlay) if manifest["kind"] in kinds]


def workloads(overlay: str) -> list[Manifest]:
    """Everything that makes pods."""
    return of_kind(overlay, *WORKLOAD_KINDS)


def ours(overlay: str) -> list[Manifest]:
    """The workloads that run our code."""
    return [workload for workload in workloads(overlay) if name_of(workload) in OURS]


def name_of(manifest: Manifest) -> str:
    name: str = manifest["metadata"]["name"]
    return name


def pod_of(workload: Manifest) -> Manifest:
    """The pod's specification."""
    pod: Manifest = workload["spec"]["template"]["spec"]
    return pod


def labels_of(workload: Manifest) -> dict[str, str]:
    """The labels that its pods carry."""
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def containers(workload: Manifest) -> list[Manifest]:
    """All containers, those that only prepare included."""
    pod = pod_of(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def selects(selector: Manifest, labels: dict[str, str]) -> bool:
    """Whether a label selector takes these labels (matchLabels, and matchExpressions with In)."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In", expression
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def settings_map(overlay: str) -> dict[str, str]:
    """The settings that all pods share."""
    [found] = [one for one in of_kind(overlay, "ConfigMap") if name_of(one).startswith("fenceline-settings")]
    data: dict[str, str] = found["data"]
    return data


def environment(overlay: str, workload: Manifest, container: Manifest) -> dict[str, str | None]:
    """What a container is told, by name; None where the value comes from the Secret."""
    told: dict[str, str | None] = {}
    for source in container.get("envFrom", []):
        assert source["configMapRef"]["name"].startswith("fenceline-settings"), source
        told |= settings_map(overlay)
    for entry in container.get("env", []):
        told[entry["name"]] = entry.get("value")
    mounts = {mount["name"] for mount in container.get("volumeMounts", [])}
    for volume in pod_of(workload).get("volumes", []):
        if volume["name"] in mounts and "secret" in volume:
            told |= {item["path"]: None for item in volume["secret"].get("items", [])}
    return told


def open_ports(container: Manifest) -> Iterator[tuple[str, int]]:
    """The ports of a container by name."""
    for port in container.get("ports", []):
        yield port["name"], port["containerPort"]
