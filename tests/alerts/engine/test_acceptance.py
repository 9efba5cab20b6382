"""Scripts in virtual time, as a domain expert reads them. Station 1 stands at the boundary (chlorine: yellow 1.45,
orange 5.8, red 58 mg/m3; 30 s to raise, 60 s below 90 % to return), station 2 at a source (1, 2, 5.8 mg/m3; 10 s)."""

import pytest

from tests.alerts.park import Park, second_of


class Script:
    """`push` readings and `want` transitions. Times in seconds."""

    def __init__(self, park: Park) -> None:
        self.park = park
        self.checked = 0

    async def push(self, second: float, value: float | None, *, station: int = 1, flag: str = "N") -> None:
        self.park.clock.at(second + 0.2)
        await self.park.push((station, second, value, flag), received=second + 0.1)
        await self.park.settle()

    async def want(self, what: str, *, between: tuple[float, float], station: int = 1) -> None:
        """`what` is such as "raised yellow"; the next thing told must be this, with this event time."""
        told = await self.park.told()
        assert len(told) > self.checked, f"wanted {what!r}, but nothing was told"
        fact = told[self.checked]
        self.checked += 1
        assert f"{fact.transition} {fact.colour}" == what
        assert between[0] <= second_of(fact.event_time) <= between[1]
        assert fact.station_id == f"p.s{station}"

    async def want_nothing(self) -> None:
        told = await self.park.told()
        assert [f"{fact.transition} {fact.colour}" for fact in told[self.checked :]] == []


@pytest.fixture
def script(park: Park) -> Script:
    return Script(park)


async def test_a_cloud_passes_the_boundary(script: Script) -> None:
    for second in range(0, 60, 10):
        await script.push(second, 0.1)
    await script.want_nothing()
    for second in range(60, 120, 10):
        await script.push(second, 3.0)
    await script.want("raised yellow", between=(90, 90))
    for second in range(120, 180, 10):
        await script.push(second, 20.0)
    await script.want("escalated orange", between=(150, 150))
    for second in range(180, 300, 10):
        await script.push(second, 80.0)
    await script.want("escalated red", between=(210, 210))
    for second in range(300, 480, 10):
        await script.push(second, 0.2)
    await script.want("returned red", between=(360, 360))
    await script.want_nothing()
    (alarm,) = await script.park.alarms()
    assert (alarm["state"], alarm["peak_colour"], alarm["peak_value"]) == ("returned_unacknowledged", "red", 80.0)


async def test_a_source_is_told_faster(script: Script) -> None:
    for second in range(0, 30, 5):
        await script.push(second, 1.5, station=2)
    await script.want("raised yellow", between=(10, 10), station=2)
    await script.want_nothing()


async def test_a_spike_shorter_than_the_delay_is_no_alarm(script: Script) -> None:
    for second, value in [(0, 0.1), (10, 90), (20, 90), (30, 0.1), (40, 0.1)]:
        await script.push(second, value)
    await script.want_nothing()


async def test_over_range_is_the_highest_alarm(script: Script) -> None:
    for second in range(0, 50, 10):
        await script.push(second, 100.0, flag="T")
    await script.want("raised red", between=(30, 30))
    (alarm,) = await script.park.alarms()
    assert alarm["peak_value"] == 100.0


async def test_over_range_without_a_value_is_too(script: Script) -> None:
    for second in range(0, 50, 10):
        await script.push(second, None, flag="T")
    await script.want("raised red", between=(30, 30))


@pytest.mark.parametrize("flag", "FMSDCB")
async def test_bad_data_neither_raise_nor_clear(script: Script, flag: str) -> None:
    for second in range(0, 90, 30):
        await script.push(second, 90.0, flag=flag)
    await script.want_nothing()
    for second in range(100, 140, 15):
        await script.push(second, 3.0)
    await script.want("raised yellow", between=(130, 130))
    for second in range(140, 300, 30):
        await script.push(second, 0.0, flag=flag)
    await script.want_nothing()


async def test_gas_about_the_threshold_does_not_chatter(script: Script) -> None:
    for number, second in enumerate(range(0, 600, 20)):
        await script.push(second, 1.5 if number % 2 == 0 or second < 60 else 1.35)
    await script.want("raised yellow", between=(40, 40))
    await script.want_nothing()


async def test_a_late_reading_is_taken_in_its_place(script: Script) -> None:
    for second in (0, 10, 30, 40):
        await script.push(second, 3.0)
    await script.want("raised yellow", between=(30, 30))
    await script.push(20, 0.1)  # arrives last: the gas had not stood for 30 s
    await script.want("returned yellow", between=(20, 20))
    (alarm,) = await script.park.alarms()
    assert alarm["withdrawn"]
    for second in (50, 60):
        await script.push(second, 3.0)
    await script.want("raised yellow", between=(60, 60))
    assert len(await script.park.alarms()) == 1
