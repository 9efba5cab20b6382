"""Several rules on one datastream, each with its measure, over real PostgreSQL and Redis."""

from typing import Any

import pytest

from services.alerts.store import rules as rule_store
from shared.park_file import Rule
from tests.alerts.park import Park, second_of

YELLOW = [{"colour": "yellow", "threshold": 0.8, "source": "permit"}]
AT_ONCE = {"property": "chlorine", "on_delay_s": 0, "off_delay_s": 0}
MEAN = {**AT_ONCE, "name": "mean", "levels": YELLOW, "measure": {"kind": "mean", "window_s": 120}}
RISE = {
    **AT_ONCE,
    "name": "rise",
    "levels": [{"colour": "blue", "threshold": 2, "source": "the park"}],
    "measure": {"kind": "rate_of_change", "window_s": 60},
}
STORY = [(second, 3.0 if 120 <= second < 200 else 0.1) for second in range(0, 400, 10)]
TOLD = {
    ("level.chlorine", "raised", 150.0),
    ("level.chlorine", "returned", 260.0),
    ("mean.chlorine", "raised", 140.0),
    ("mean.chlorine", "returned", 290.0),
    ("rise.chlorine", "raised", 130.0),
    ("rise.chlorine", "returned", 170.0),
}


async def put_in_force(park: Park, *rules: dict[str, Any]) -> None:
    async with park.database.begin() as connection:
        said = [Rule.model_validate(rule) for rule in rules]
        await rule_store.save_overrides(connection, "p", said, "tester")
    await park.rulebook.refresh()


async def tell(park: Park, script: list[tuple[int, float]]) -> None:
    for second, value in script:
        await park.push((1, second, value))
    await park.settle()


async def told(park: Park) -> list[tuple[str, str, float]]:
    return [(fact.rule_id, str(fact.transition), second_of(fact.event_time)) for fact in await park.told()]


async def test_each_rule_has_an_alarm_of_its_own_in_its_own_unit(park: Park) -> None:
    await put_in_force(park, MEAN, RISE)
    await tell(park, STORY)
    assert set(await told(park)) == TOLD
    told_of = await park.rows("SELECT DISTINCT rule_id, detail -> 'measure' ->> 'kind' AS kind FROM journal ORDER BY 1")
    assert [row["kind"] for row in told_of] == [None, "mean", "rate_of_change"]
    units = await park.rows("SELECT rule_id, unit, threshold FROM alarm ORDER BY rule_id")
    assert [tuple(row.values()) for row in units] == [
        ("level.chlorine", "mg/m3", 1.45),
        ("mean.chlorine", "mg/m3", 0.8),
        ("rise.chlorine", "mg/m3/min", 2.0),
    ]


@pytest.mark.parametrize("checkpoint_every", [1, 9])
async def test_a_restart_at_any_fact_changes_nothing(park: Park, checkpoint_every: int) -> None:
    await put_in_force(park, MEAN, RISE)
    for number, (second, value) in enumerate(STORY):
        await park.restart()
        await tell(park, [(second, value)])
        if number % checkpoint_every == 0:
            await park.runner.store(at_once=True)
    found = await told(park)
    assert len(found) == len(TOLD)
    assert set(found) == TOLD


async def test_late_readings_give_what_their_order_gives(park: Park) -> None:
    await put_in_force(park, MEAN, RISE)
    await tell(
        park, [*STORY[1::2][:3], *[each for pair in zip(STORY[7::2], STORY[::2], strict=False) for each in pair]]
    )
    await tell(park, [STORY[-6], STORY[-4], STORY[-2]])
    alarms = await park.rows("SELECT rule_id, raised_at, withdrawn FROM alarm ORDER BY rule_id, serial")
    last = {row["rule_id"]: second_of(row["raised_at"]) for row in alarms if not row["withdrawn"]}
    assert last == {rule: second for rule, transition, second in TOLD if transition == "raised"}


async def test_the_value_of_each_alarm_is_what_its_rule_measures(park: Park) -> None:
    await put_in_force(park, MEAN)
    await tell(park, STORY[:19])
    await park.runner.store()
    values = {alarm["rule_id"]: (alarm["value"], alarm["peak_value"]) for alarm in await park.alarms()}
    assert values["level.chlorine"] == (3.0, 3.0)
    mean = (7 * 3.0 + 5 * 0.1) / 12
    assert values["mean.chlorine"] == pytest.approx((mean, mean))


async def test_rules_come_and_go_while_the_park_runs(park: Park) -> None:
    await tell(park, STORY[:12])
    await put_in_force(park, MEAN)
    await tell(park, STORY[12:15])
    assert await told(park) == []  # the new rule's window is not covered yet
    await tell(park, STORY[15:22])
    assert ("mean.chlorine", "raised", 210.0) in await told(park)
    await put_in_force(park)
    await tell(park, STORY[22:])
    assert [each for each in await told(park) if each[0] == "mean.chlorine"] == [("mean.chlorine", "raised", 210.0)]


async def test_a_changed_level_keeps_the_window(park: Park) -> None:
    await put_in_force(park, MEAN)
    await tell(park, STORY[:13])
    lower = {**MEAN, "levels": [{"colour": "yellow", "threshold": 0.3, "source": "permit"}]}
    await put_in_force(park, lower)
    await tell(park, STORY[13:14])
    assert ("mean.chlorine", "raised", 130.0) in await told(park)


async def test_history_is_journalled_of_the_raw_value_alone(park: Park) -> None:
    await put_in_force(park, MEAN, RISE)
    await park.push(*((1, second, 80.0) for second in range(0, 600, 10)), received=7200)
    await park.settle()
    rows = await park.rows("SELECT rule_id, action FROM journal")
    assert rows == [{"rule_id": "level.chlorine", "action": "backfilled"}]
    await park.runner.store(at_once=True)
    assert await park.rows("SELECT backfilled FROM passed_over") == [{"backfilled": 60}]
