"""What every workload has: a policy, a budget, probes, limits, and no more rights than it needs."""

import itertools

import pytest

from tests.deploy.manifests import (
    OVERLAYS,
    Manifest,
    containers,
    labels_of,
    name_of,
    of_kind,
    open_ports,
    ours,
    pod_of,
    selects,
    workloads,
)

CALLS = {
    "ingest": (),
    "alerts": ("ingest",),
    "model": ("ingest", "alerts"),
    "model-worker": ("ingest", "alerts"),
    "gateway": ("ingest", "alerts", "model"),
}
"""Who has the address of whom in its settings."""


def policies(overlay: str, labels: dict[str, str], direction: str) -> list[Manifest]:
    """The rules (from the policies that select these labels) for "ingress" or "egress"."""
    return [
        rule
        for policy in of_kind(overlay, "NetworkPolicy")
        if selects(policy["spec"]["podSelector"], labels)
        for rule in policy["spec"].get(direction, [])
    ]


def lets_through(rules: list[Manifest], peers: str, labels: dict[str, str], port: int) -> bool:
    """Whether a rule names pods with these labels and this port."""
    return any(
        any(one["port"] == port for one in rule["ports"])
        and any(
            "podSelector" in peer and "namespaceSelector" not in peer and selects(peer["podSelector"], labels)
            for peer in rule.get(peers, [])
        )
        for rule in rules
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_allowed_but_what_is_named(overlay: str) -> None:
    everything = [
        policy["spec"]["policyTypes"]
        for policy in of_kind(overlay, "NetworkPolicy")
        if policy["spec"]["podSelector"] == {} and not {"ingress", "egress"} & set(policy["spec"])
    ]
    assert everything == [["Ingress", "Egress"]]
    for workload in workloads(overlay):
        assert policies(overlay, labels_of(workload), "egress"), name_of(workload)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_who_calls_is_let_out_and_in_and_nobody_else(overlay: str) -> None:
    running = {name_of(one): one for one in ours(overlay) if name_of(one) in CALLS}
    assert set(running) == set(CALLS)
    for caller, called in itertools.product(CALLS, ("ingest", "alerts", "model")):
        if caller == called:
            continue
        port = dict(open_ports(pod_of(running[called])["containers"][0]))["http"]
        source, target = labels_of(running[caller]), labels_of(running[called])
        out = lets_through(policies(overlay, source, "egress"), "to", target, port)
        into = lets_through(policies(overlay, target, "ingress"), "from", source, port)
        allowed = called in CALLS[caller]
        assert (out, into) == (allowed, allowed), f"{caller} -> {called}"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_running_workload_has_one_budget_and_one_account(overlay: str) -> None:
    accounts = {name_of(one) for one in of_kind(overlay, "ServiceAccount")}
    for workload in workloads(overlay):
        pod = pod_of(workload)
        assert pod["serviceAccountName"] in accounts
        assert pod["automountServiceAccountToken"] is False
        if workload["kind"] == "Job":
            continue
        budgets = [
            one
            for one in of_kind(overlay, "PodDisruptionBudget")
            if selects(one["spec"]["selector"], labels_of(workload))
        ]
        assert len(budgets) == 1, name_of(workload)
        assert budgets[0]["spec"]["maxUnavailable"] == 1, "a node can be drained"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_restricted_and_bounded(overlay: str) -> None:
    for workload in workloads(overlay):
        pod = pod_of(workload)
        where = name_of(workload)
        assert pod["enableServiceLinks"] is False, f"{where}: FENCELINE_..._PORT would be set by Kubernetes"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] >= 1
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(workload):
            safe = container["securityContext"]
            assert safe["allowPrivilegeEscalation"] is False, where
            assert safe["capabilities"] == {"drop": ["ALL"]}, where
            assert safe["readOnlyRootFilesystem"] is True, where
            assert "memory" in container["resources"]["limits"], where
            assert {"cpu", "memory"} <= set(container["resources"]["requests"]), where
            assert not container["image"].endswith(":latest"), where
        for volume in pod.get("volumes", []):
            if "emptyDir" in volume:
                assert "sizeLimit" in volume["emptyDir"], where
        if workload["kind"] != "Job":
            for container in pod["containers"]:
                assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), where


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_of_ours_wait_for_their_schema_and_have_time_to_stop(overlay: str) -> None:
    for workload in ours(overlay):
        if workload["kind"] == "Job":
            continue
        pod = pod_of(workload)
        assert pod["initContainers"][0]["command"][:3] == ["python", "-m", "shared.schema_gate"]
        [container] = pod["containers"]
        assert pod["initContainers"][0]["image"] == container["image"]
        slept = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert slept or not container.get("ports"), "who is asked over the network goes out of the balancers first"
        assert pod["terminationGracePeriodSeconds"] >= slept + 30
        if workload["kind"] == "Deployment" and container.get("ports"):
            assert workload["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_who_is_scaled_has_no_number_of_its_own_and_alerts_is_not_scaled(overlay: str) -> None:
    running = {name_of(one): one for one in ours(overlay)}
    scaled = [one["spec"]["scaleTargetRef"] for one in of_kind(overlay, "HorizontalPodAutoscaler", "ScaledObject")]
    assert len({target["name"] for target in scaled}) == len(scaled), "two scalers would fight"
    for target in scaled:
        workload = running[target["name"]]
        assert workload["kind"] == target.get("kind", "Deployment")
        assert "replicas" not in workload["spec"], "applying it again would undo the scaling"
    assert "alerts" not in {target["name"] for target in scaled}, "its shards are divided by a fixed number"
