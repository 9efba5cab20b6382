import time

import numpy as np
import pytest

from services.model.dispersion.ensemble import Exceedance
from services.model.dispersion.grid import Box, make_grid
from services.model.runs.bands import bands_of, smoothed
from tests.model.runs.plans import plan_of


def test_smoothing_keeps_the_probability_on_every_circle() -> None:
    """A wedge of certainty becomes a wedge with soft sides, of the same mean."""
    grid = make_grid(Box(-1000, 1000, -1000, 1000), 201, 1.0, 0.0)
    x, y = np.meshgrid(grid.x, grid.y)
    wedge = (np.abs(np.degrees(np.arctan2(y, x))) < 15.0).astype(np.float32)[None]
    soft = smoothed(Exceedance(grid, wedge), 10.0).share[0]
    ring = (np.hypot(x, y) > 300) & (np.hypot(x, y) < 600)
    area = np.gradient(grid.y)[:, None] * np.gradient(grid.x)[None, :] * ring
    assert (soft * area).sum() == pytest.approx((wedge[0] * area).sum(), rel=0.03)
    degrees = np.degrees(np.arctan2(y, x))
    assert soft[ring & (np.abs(degrees) < 2)].mean() > 0.8
    assert 0.4 < soft[ring & (np.abs(np.abs(degrees) - 15.0) < 1)].mean() < 0.6
    assert 0.0 <= soft.min() <= soft.max() <= 1.0


def test_the_bands_lie_evenly_about_the_wind() -> None:
    bands = bands_of(plan_of(rate_interval=(0.05, 5.0)))
    assert bands
    downwind = np.radians(70.0)
    for off in (5.0, 15.0):
        left, right = np.radians(90.0) - (downwind + np.radians([-off, off]))
        east, north = 250.0 * np.cos([left, right]), 250.0 * np.sin([left, right])
        shares = bands.at(east, north)["endpoint-2"]
        assert shares[0] == pytest.approx(shares[1], abs=0.12)


def test_far_away_and_behind_nothing_is_likely() -> None:
    bands = bands_of(plan_of())
    assert bands
    shares = bands.at(np.array([-500.0, 60_000.0]), np.array([-180.0, 0.0]))
    assert shares["endpoint-2"].tolist() == [0.0, 0.0]


def test_a_higher_level_is_never_likelier() -> None:
    bands = bands_of(plan_of(named=("aegl-1",)))
    assert bands
    assert np.all(np.diff(bands.shares.share, axis=0) >= -1e-6)


def test_two_hundred_members_take_less_than_a_second() -> None:
    """Processor time: the machine may have other work."""
    plan = plan_of(members=200, rate_interval=(0.05, 5.0))
    bands_of(plan)
    begun = time.thread_time()
    bands_of(plan)
    assert time.thread_time() - begun < 1.0


def test_one_member_is_no_ensemble() -> None:
    assert bands_of(plan_of(members=1)) is None
