"""Every overlay is what Kubernetes takes, in the oldest and the newest version that is supported."""

import json
from functools import cache

import kubernetes_validate
import pytest

from tests.deploy.manifests import OVERLAYS, name_of, render

VERSIONS = ("1.30", "1.37")
BUILT_IN = ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1")
OF_OPERATORS = {
    "TriggerAuthentication",
    "ScaledObject",
    "PodMonitor",
    "ExternalSecret",
    "HTTPRoute",
}
"""Kinds that other projects bring; no schema of theirs is at hand (docs/operations/unrun.md)."""


@cache
def validate(text: str, version: str) -> None:
    """Once for what is the same in every overlay."""
    kubernetes_validate.validate(json.loads(text), version, strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(overlay: str, version: str) -> None:
    checked = 0
    for manifest in render(overlay):
        if manifest["apiVersion"] in BUILT_IN:
            validate(json.dumps(manifest, sort_keys=True), version)
            checked += 1
        else:
            assert manifest["kind"] in OF_OPERATORS
    assert checked >= 30


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_there_twice_and_all_of_it_in_our_namespace(overlay: str) -> None:
    known = [(one["kind"], name_of(one)) for one in render(overlay)]
    assert len(set(known)) == len(known)
    for one in render(overlay):
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == "fenceline", (one["kind"], name_of(one))


def test_a_wrong_field_is_found() -> None:
    [namespace] = [one for one in render(OVERLAYS[0]) if one["kind"] == "Namespace"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(namespace | {"speck": {}}, VERSIONS[0], strict=True)
