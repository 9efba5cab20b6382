"""Rules across stations: what is in force of a park, where each number comes from, and what is evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.alerts.conditions import LevelRule
from services.alerts.conditions.across import MOST_MEMBERS, AcrossCondition, KOfN, Member, SumOfRatios, Weather
from services.alerts.conditions.across import UpwindDifference as Difference
from services.alerts.rules.effective import Delays, levels_from
from services.alerts.rules.overrides import Origin
from shared import across as documents
from shared.park_file import AcrossRule
from shared.vocabulary import observed_properties

_SECOND = 1_000_000
PREFIX = "across."
DIRECTION, SPEED = "wind-direction", "wind-speed"


class Measuring(Protocol):
    """A datastream, as far as rules across stations ask."""

    @property
    def id(self) -> int:
        """Its id."""

    @property
    def station_id(self) -> str:
        """Whose it is."""

    @property
    def ring(self) -> str:
        """Of its station."""

    @property
    def property_id(self) -> str:
        """What it measures."""

    @property
    def longitude(self) -> float:
        """WGS 84 [degree]."""

    @property
    def latitude(self) -> float:
        """WGS 84 [degree]."""


@dataclass(frozen=True, slots=True)
class ParkRule:
    """A rule across stations that is in force, and who said it."""

    park_id: str
    rule: AcrossRule
    origin: Origin

    @property
    def rule_id(self) -> str:
        """Of its alarms."""
        return f"{PREFIX}{self.rule.name}"

    @property
    def property_id(self) -> str:
        """What its alarms are about; of a mixture the substance that is named first."""
        about = self.rule.condition
        return about.limits[0].property if isinstance(about, documents.SumOfRatios) else about.property

    @property
    def unit(self) -> str:
        """Of its levels."""
        is_sum = isinstance(self.rule.condition, documents.SumOfRatios)
        return "1" if is_sum else observed_properties()[self.property_id].unit

    @property
    def ring(self) -> str | None:
        """The ring that it is about; None: the whole park, or one station."""
        return self.rule.condition.ring

    def numbers(self, delays: Delays) -> dict[str, tuple[float | bool, bool]]:
        """By field its value, and whether it is Fenceline's default. Delays in seconds."""
        defaults: dict[str, float | bool] = {
            "on_delay_s": delays.on_source_s if self.ring == "source" else delays.on_fence_s,
            "off_delay_s": delays.off_s,
            "deadband_fraction": delays.deadband_fraction,
            "max_gap_s": delays.max_gap_s,
            "latching": False,
        }
        said = {name: getattr(self.rule, name) for name in defaults}
        return {name: (defaults[name] if said[name] is None else said[name], said[name] is None) for name in defaults}

    def level_rule(self, delays: Delays) -> LevelRule:
        """The levels as the evaluation takes them."""
        number = {name: value for name, (value, _) in self.numbers(delays).items()}
        return LevelRule(
            self.rule_id,
            levels_from(self.rule.levels),
            round(number["on_delay_s"] * _SECOND),
            round(number["off_delay_s"] * _SECOND),
            number["deadband_fraction"],
            round(number["max_gap_s"] * _SECOND),
            bool(number["latching"]),
        )

    def condition(self, feeds: Sequence[Measuring], weather: Sequence[Measuring]) -> AcrossCondition:
        """What is evaluated of the datastreams of the park: of those that alarms rest on, and of the weather.

        At most 200 count, in the order of their ids.
        """
        about = self.rule.condition
        wind = Weather(
            tuple(sorted(one.id for one in weather if one.property_id == DIRECTION)),
            tuple(sorted(one.id for one in weather if one.property_id == SPEED)),
        )
        match about:
            case documents.KOfN():
                return KOfN(
                    _members(feeds, about.ring, {about.property: 1.0}),
                    about.k,
                    _us(about.within_s),
                    about.sector_deg if about.along_wind else None,
                    _us(about.wind_mean_s),
                    about.calm_m_s,
                    weather=wind,
                )
            case documents.UpwindDifference():
                return Difference(
                    _members(feeds, about.ring, {about.property: 1.0}),
                    about.sector_deg,
                    _us(about.wind_mean_s),
                    about.calm_m_s,
                    weather=wind,
                )
            case documents.SumOfRatios():
                limits = {limit.property: limit.limit for limit in about.limits}
                station = f"{self.park_id}.{about.station}" if about.station is not None else None
                return SumOfRatios(_members(feeds, about.ring, limits, station))


def _members(
    feeds: Sequence[Measuring], ring: str | None, limits: dict[str, float], station_id: str | None = None
) -> tuple[Member, ...]:
    chosen = [
        Member(one.id, one.station_id, one.property_id, one.longitude, one.latitude, limits[one.property_id])
        for one in sorted(feeds, key=lambda one: one.id)
        if one.property_id in limits and ring in (None, one.ring) and station_id in (None, one.station_id)
    ]
    return tuple(chosen[:MOST_MEMBERS])


def _us(seconds: float) -> int:
    return round(seconds * _SECOND)
