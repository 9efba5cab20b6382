"""Scores beside the scores to beat and the targets, for people."""

from __future__ import annotations

from collections.abc import Sequence

from services.model.validation.scores import Scores

# Of other models on the same trials: (name, FAC2, FB, MG, VG, NMSE); None where none was published.
PLUMES_TO_BEAT: tuple[tuple[str, float | None, float | None, float | None, float | None, float | None], ...] = (
    ("Briggs open country, wind at 2 m (all runs)", 0.83, -0.06, 1.05, 1.36, 0.55),
    ("Pasquill-Gifford, continuous class (all runs)", 0.85, -0.03, 0.99, 1.29, 0.79),
    ("slabx, horizontal jet (all runs)", 0.88, -0.15, 0.84, 1.29, 0.40),
    ("Monin-Obukhov (van Ulden), sigma_A (all runs)", 0.92, 0.15, 0.90, 1.19, 0.28),
    ("PG x (z0/0.03)^0.2, sigma_A (odd runs)", 0.88, None, 1.00, 1.16, 0.20),
)
POOLS_TO_BEAT: tuple[tuple[str, float | None, float | None, float | None, float | None, float | None], ...] = (
    ("slabx alone (all 42 arcs)", 0.64, None, 1.24, 1.84, None),
    ("degadisx alone (all 42 arcs)", 0.71, None, 0.72, 1.64, None),
    ("their mean in log space (Burro and Coyote)", 0.86, None, 0.75, 1.50, None),
    ("SMEDIS, shallow-layer models", 0.65, None, None, None, None),
)

PLUME_TARGETS = "targets: FAC2 >= 0.88, |FB| <= 0.15, MG 0.9 to 1.1, VG <= 1.18"
POOL_TARGETS = "targets: FAC2 >= 0.80, MG 0.7 to 1.3"


def plume_targets_met(scores: Scores) -> bool:
    """Whether the passive plumes meet their targets."""
    return scores.fac2 >= 0.88 and abs(scores.fb) <= 0.15 and 0.9 <= scores.mg <= 1.1 and scores.vg <= 1.18


def pool_targets_met(scores: Scores) -> bool:
    """Whether the combined dense answer meets its targets."""
    return scores.fac2 >= 0.80 and 0.7 <= scores.mg <= 1.3


def table(
    title: str,
    ours: Sequence[tuple[str, Scores]],
    to_beat: Sequence[tuple[str, float | None, float | None, float | None, float | None, float | None]],
    targets: str,
) -> str:
    """Return the table as text: this project's rows, those of other models, the targets."""
    lines = [title, f"  {'model':<48}{'n':>5}{'FAC2':>8}{'FB':>8}{'MG':>8}{'VG':>8}{'NMSE':>8}"]
    lines += [
        f"  {name:<48}{s.n:>5}{s.fac2:>8.3f}{s.fb:>8.3f}{s.mg:>8.3f}{s.vg:>8.3f}{s.nmse:>8.3f}" for name, s in ours
    ]
    lines += [f"  {name:<48}{'':>5}" + "".join(_cell(value) for value in values) for name, *values in to_beat]
    return "\n".join([*lines, f"  {targets}"])


def _cell(value: float | None) -> str:
    return f"{'-':>8}" if value is None else f"{value:>8.2f}"
