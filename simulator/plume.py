"""Gas as a cloud of particles, each carried by its own turbulent velocity.

A stochastic Lagrangian (Langevin) model after Thomson (1987): the vertical velocity obeys

    dw = -w/T_L dt + 1/2 dsigma_w^2/dz (1 + w^2/sigma_w^2) dt + sigma_w sqrt(2/T_L) dW

which keeps well-mixed particles well mixed; the horizontal velocities are Ornstein-Uhlenbeck processes.
The ground and the lid reflect. The gas is passive: it neither sinks, reacts, nor deposits.

References: Thomson (1987), J. Fluid Mech. 180, doi:10.1017/S0022112087001940; Wilson and Sawford (1996),
Boundary-Layer Meteorology 78, doi:10.1007/BF00122492.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simulator.atmosphere import KOLMOGOROV_C0, SurfaceLayer
from simulator.geometry import Floats

# Share of the horizontal velocity variance left to the particles. The rest is the meander of the wind
# series, which moves all particles together; counting it twice would make the plume too wide.
SMALL_SCALE_SHARE = 0.6
# Height at which the horizontal time scale is taken: eddies that spread a plume sideways are not
# limited by the ground as the vertical ones are.
HORIZONTAL_SCALE_HEIGHT_M = 30.0
SOURCE_RADIUS_M = 1.5


@dataclass(frozen=True)
class Leak:
    """A place that gives off gas: east, north, height [m]."""

    east_m: float
    north_m: float
    height_m: float


class ParticleCloud:
    """All gas in the air. Arrays of one length, one row a particle: place, velocity, age and mass."""

    def __init__(self, generator: np.random.Generator, reach_m: float = 5000.0) -> None:
        """Particles farther than `reach_m` from the plane's origin are forgotten."""
        self._generator = generator
        self._reach_m = reach_m
        self.place = np.empty((3, 0))
        self.velocity = np.empty((3, 0))
        self.age_s = np.empty(0)
        self.mass_mg = np.empty(0)
        self.lost_mg = 0.0

    def __len__(self) -> int:
        return len(self.mass_mg)

    def emit(self, leak: Leak, mass_mg: float, count: int, layer: SurfaceLayer, over_s: float) -> None:
        """Let `mass_mg` out at the leak as `count` particles, to be carried by the next `step`.

        They leave one after another during that step's `over_s` seconds: until it is their turn they wait.
        """
        normal = self._generator.standard_normal((6, count))
        height = np.abs(leak.height_m + 0.5 * SOURCE_RADIUS_M * normal[2])
        place = np.stack(
            [leak.east_m + SOURCE_RADIUS_M * normal[0], leak.north_m + SOURCE_RADIUS_M * normal[1], height]
        )
        spread = math.sqrt(SMALL_SCALE_SHARE)
        velocity = np.stack(
            [
                spread * layer.sigma_u() * normal[3],
                spread * layer.sigma_v() * normal[4],
                layer.sigma_w(height) * normal[5],
            ]
        )
        waiting = (np.arange(count) + self._generator.random()) / count * over_s
        self.place = np.concatenate([self.place, place], axis=1)
        self.velocity = np.concatenate([self.velocity, velocity], axis=1)
        self.age_s = np.concatenate([self.age_s, -waiting])
        self.mass_mg = np.concatenate([self.mass_mg, np.full(count, mass_mg / count)])

    def step(self, layer: SurfaceLayer, east: float, north: float, seconds: float) -> None:
        """Carry every particle for `seconds` in a wind of these components [m/s] at 10 m."""
        if not len(self):
            return
        # A particle of negative age leaves the source only when its age comes to zero.
        moving = np.clip(self.age_s + seconds, 0.0, seconds)
        self.age_s += seconds
        self._step_vertical(layer, moving)
        self._step_horizontal(layer, east, north, moving)
        self._forget_far_particles()

    def clear(self) -> None:
        """Forget every particle."""
        self._keep(np.zeros(len(self), dtype=bool))

    def _step_vertical(self, layer: SurfaceLayer, seconds: Floats) -> None:
        height, speed = self.place[2], self.velocity[2]
        sigma = layer.sigma_w(height)
        memory = np.exp(-seconds / layer.vertical_time_scale(height))
        drift = 0.5 * layer.variance_gradient(height) * (1.0 + (speed / sigma) ** 2)
        kick = sigma * np.sqrt(1.0 - memory**2) * self._generator.standard_normal(len(self))
        speed = memory * speed + drift * seconds + kick
        height = height + speed * seconds
        below, above = height < 0.0, height > layer.lid_m
        height = np.where(below, -height, np.where(above, 2.0 * layer.lid_m - height, height))
        self.place[2] = np.clip(height, 0.0, layer.lid_m)
        self.velocity[2] = np.where(below | above, -speed, speed)

    def _step_horizontal(self, layer: SurfaceLayer, east: float, north: float, seconds: Floats) -> None:
        wind = math.hypot(east, north)
        along = (east / wind, north / wind) if wind > 0.0 else (1.0, 0.0)
        carried = layer.mean_wind(self.place[2])
        eps = float(layer.dissipation(np.array([HORIZONTAL_SCALE_HEIGHT_M]))[0])
        for row, sigma in ((0, layer.sigma_u()), (1, layer.sigma_v())):
            sigma *= math.sqrt(SMALL_SCALE_SHARE)
            memory = np.exp(-seconds * KOLMOGOROV_C0 * eps / (2.0 * sigma**2))
            kick = sigma * np.sqrt(1.0 - memory**2) * self._generator.standard_normal(len(self))
            self.velocity[row] = memory * self.velocity[row] + kick
        forward, sideways = carried + self.velocity[0], self.velocity[1]
        self.place[0] += (forward * along[0] - sideways * along[1]) * seconds
        self.place[1] += (forward * along[1] + sideways * along[0]) * seconds

    def _forget_far_particles(self) -> None:
        near = self.place[0] ** 2 + self.place[1] ** 2 < self._reach_m**2
        if not near.all():
            self.lost_mg += float(self.mass_mg[~near].sum())
            self._keep(near)

    def _keep(self, chosen: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
        self.place = self.place[:, chosen]
        self.velocity = self.velocity[:, chosen]
        self.age_s = self.age_s[chosen]
        self.mass_mg = self.mass_mg[chosen]
