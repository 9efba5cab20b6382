"""Several sources at once: their clouds add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from services.model.dispersion.puff import Cloud, PuffModel


class CloudModel(Protocol):
    """What can be drawn and followed: one source or several."""

    @property
    def start_s(self) -> float:
        """When the first release begins [s]."""

    @property
    def end_s(self) -> float:
        """When the last release ends [s]."""

    @property
    def parts(self) -> tuple[PuffModel, ...]:
        """The releases, one by one."""

    def cloud_at(self, time_s: float) -> Cloud | None:
        """Return the cloud at a time [s], or None before any gas is out."""


class SeveralSources:
    """Releases in one weather; each stands where its `Release` says."""

    def __init__(self, models: Sequence[PuffModel]) -> None:
        """Raises ValueError when there is no model or when their weathers differ."""
        if not models:
            raise ValueError("at least one source is needed")
        if any(model.spells != models[0].spells for model in models):
            raise ValueError("all sources must stand in one weather")
        self.parts = tuple(models)

    @property
    def start_s(self) -> float:
        """When the first release begins [s]."""
        return min(model.start_s for model in self.parts)

    @property
    def end_s(self) -> float:
        """When the last release ends [s]."""
        return max(model.end_s for model in self.parts)

    def cloud_at(self, time_s: float) -> Cloud | None:
        """Return the cloud of all sources at a time [s], or None before any gas is out."""
        clouds = [cloud for model in self.parts if (cloud := model.cloud_at(time_s)) is not None]
        if not clouds:
            return None
        return Cloud(
            np.concatenate([cloud.east for cloud in clouds]),
            np.concatenate([cloud.north for cloud in clouds]),
            np.concatenate([cloud.sigma_y for cloud in clouds]),
            np.concatenate([cloud.sigma_z for cloud in clouds]),
            np.concatenate([cloud.mass for cloud in clouds]),
            clouds[0].lid,
            np.concatenate([np.broadcast_to(cloud.height_m, cloud.mass.shape) for cloud in clouds]),
        )
