"""What instruments make of the air: lag, limits, noise, minutes, weather."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.atmosphere import SurfaceLayer
from simulator.minute import minute_reading
from simulator.sensors import ANALYSER, GasSensors, SensorHabit
from simulator.site import Channel, Site
from simulator.weather import Anemometer, humidity_percent, mean_direction, pressure_kpa, temperature_c
from simulator.world import World, decimals, sent_value

CHLORINE = Channel(0, "chlorine", True, "a21022", 1.0, 60.0, 0.1, frozenset({"realtime", "minute"}))
STEADY = SensorHabit(t90_s=30.0, noise_share=0.0, noise_of_limit=0.0, drift_of_limit=0.0)


def _shown(sensors: GasSensors, concentration: float, seconds: int) -> tuple[float, bool]:
    for _ in range(seconds):
        sensors.step(np.array([concentration]), 1.0)
    values, over = sensors.read()
    return float(values[0]), bool(over[0])


def test_after_t90_a_sensor_shows_nine_tenths() -> None:
    sensors = GasSensors([replace(CHLORINE, property_id="acrylonitrile")], [STEADY], [1])
    assert _shown(sensors, 20.0, 30)[0] == pytest.approx(18.0, rel=0.01)
    assert _shown(sensors, 0.0, 30)[0] == pytest.approx(1.8, rel=0.02)


def test_below_the_limit_it_shows_zero() -> None:
    sensors = GasSensors([CHLORINE], [STEADY], [1])
    assert _shown(sensors, 0.08, 300) == (0.0, False)
    assert _shown(sensors, 0.2, 300)[0] > 0.1


def test_over_the_range_it_holds_the_end_and_says_so_and_recovers() -> None:
    sensors = GasSensors([CHLORINE], [ANALYSER], [1])
    assert _shown(sensors, 5000.0, 60) == (60.0, True)
    value, over = _shown(sensors, 0.0, 180)
    assert not over
    assert value < 0.5


def test_noise_and_drift_are_there_but_small() -> None:
    sensors = GasSensors([CHLORINE] * 400, [ANALYSER] * 400, [3])
    for _ in range(120):
        sensors.step(np.full(400, 10.0), 1.0)
    values, _ = sensors.read()
    assert values.mean() == pytest.approx(10.0, abs=0.05)
    assert 0.05 < values.std() < 0.3


def test_a_minute_has_least_mean_and_greatest_value() -> None:
    reading = minute_reading("a21022", [1.0, 2.0, 6.0], [False] * 3, 2)
    assert (reading.minimum, reading.value, reading.maximum, reading.flag) == (1.0, 3.0, 6.0, "N")


@pytest.mark.parametrize(("over", "flag"), [(15, "N"), (16, "T"), (60, "T")])
def test_a_minute_over_the_range_never_looks_safe(over: int, flag: str) -> None:
    reading = minute_reading("a21022", [60.0] * 60, [True] * over + [False] * (60 - over), 2)
    assert reading.flag == flag


def test_wind_direction_is_averaged_as_a_vector() -> None:
    north_wind = [(0.1, -3.0), (-0.1, -3.0)]
    assert min(mean_direction(north_wind), 360.0 - mean_direction(north_wind)) < 1e-9


def test_the_day_is_warmest_and_driest_in_the_afternoon() -> None:
    hours = range(24)
    assert max(hours, key=lambda hour: temperature_c(hour, 100)) in (14, 15)
    assert min(hours, key=humidity_percent) in (14, 15)
    assert temperature_c(12, 200) > temperature_c(12, 20) + 20
    assert all(100.0 < pressure_kpa(hour, day) < 103.5 for hour in hours for day in (1, 100, 200, 300))


def test_values_are_sent_in_the_unit_and_digits_of_the_instrument(site: Site) -> None:
    benzene = next(
        channel
        for channel in site.channels
        if channel.property_id == "benzene" and site.stations[channel.station].ring == "boundary"
    )
    assert sent_value(benzene, 0.0123456) == 12.3
    cell = next(channel for channel in site.channels if channel.property_id == "acrylonitrile")
    # 24.465 l/mol at 25 degC and 53.0626 g/mol.
    assert sent_value(cell, 10.0) == pytest.approx(10.0 * 24.465 / 53.0626, abs=0.05)
    assert decimals(CHLORINE) == 2


def test_calm_park_shows_background_and_weather(site: Site) -> None:
    world = World(site, 1, 1_790_000_000)
    for _ in range(120):
        world.step(3.0, 0.0, 3.0, None)
    gases = [channel.factor for channel in site.channels if channel.property_id == "ammonia"]
    for index, station in enumerate(site.stations):
        for reading in world.realtime(index):
            assert reading.flag == "N"
            assert reading.value is not None
            if reading.factor in gases:
                assert reading.value < 1.0
        readings = {reading.factor: reading for reading in world.minute(index)}
        if station.ring == "meteorology":
            wind = readings["a01007"]
            assert wind.minimum is not None
            assert wind.value is not None
            assert wind.maximum is not None
            assert wind.minimum < wind.value < wind.maximum
            assert wind.value == pytest.approx(3.0, abs=1.0)
            assert readings["a01008"].value == pytest.approx(180.0, abs=15.0)
            assert readings["a01008"].minimum is None


def test_two_masts_feel_different_eddies_of_one_wind() -> None:
    layer = SurfaceLayer.from_wind(4.0)
    masts = [Anemometer(np.random.default_rng(seed)) for seed in (1, 2)]
    felt = np.array([[mast.feel(layer, 4.0, 0.0)[0] for mast in masts] for _ in range(2000)])
    assert felt.mean(axis=0) == pytest.approx([4.0, 4.0], abs=0.3)
    assert abs(np.corrcoef(felt.T)[0, 1]) < 0.3


def test_no_minute_is_told_that_was_not_lived_through(site: Site) -> None:
    world = World(site, 1, 1_790_000_000)
    for _ in range(59):
        world.step(3.0, 0.0, 3.0, None)
    assert world.minute(0) == []
    world.step(3.0, 0.0, 3.0, None)
    assert world.minute(0)
