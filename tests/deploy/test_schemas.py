"""Every overlay is what Kubernetes takes, in the oldest and the newest version that is supported."""

import kubernetes_validate
import pytest

from tests.deploy.manifests import OVERLAYS, name_of, render

VERSIONS = ("1.30", "1.37")
BUILT_IN = ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1")


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(overlay: str, version: str) -> None:
    checked = 0
    for manifest in render(overlay):
        if manifest["apiVersion"] in BUILT_IN:
            kubernetes_validate.validate(manifest, version, strict=True)
            checked += 1
    assert checked >= 30


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_there_twice_and_all_of_it_in_our_namespace(overlay: str) -> None:
    known = [(one["kind"], name_of(one)) for one in render(overlay)]
    assert len(set(known)) == len(known)
    for one in render(overlay):
        if one["kind"] != "Namespace":
            assert one["metadata"]["namespace"] == "fenceline", (one["kind"], name_of(one))


def test_a_wrong_field_is_found() -> None:
    [namespace] = [one for one in render("base") if one["kind"] == "Namespace"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(namespace | {"speck": {}}, VERSIONS[0], strict=True)
