"""What a park says otherwise than the defaults: about a property everywhere, in a ring, at a station, of a datastream.

Overrides come from the park file and over the API. The nearer one counts more; of two that are equally near the one
that was set over the API does: the park file is what a park begins with.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from shared.park_file import RuleNumbers

DEFAULT_NAME = "level"
"""The rule that every gas with known set-points has."""
Scope = Literal["park", "ring", "station", "datastream"]
SCOPES: tuple[Scope, ...] = ("park", "ring", "station", "datastream")
"""From the widest to the nearest."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who said it, when and why. `version` is that of the park file's rules, or of the override itself."""

    source: Literal["park_file", "api", "draft"] = "park_file"
    override_id: UUID | None = None
    version: int | None = None
    by: str | None = None
    at: datetime | None = None
    reason: str | None = None


FROM_PARK_FILE = Origin()


@dataclass(frozen=True, slots=True)
class Override:
    """What a park says otherwise about one rule of one property: everywhere, in one ring, at a station, or of one
    datastream."""

    property_id: str
    ring: str | None
    station_id: str | None
    rule: RuleNumbers
    datastream_id: int | None = None
    origin: Origin = FROM_PARK_FILE
    name: str = DEFAULT_NAME

    @property
    def scope(self) -> Scope:
        """How near it is."""
        if self.datastream_id is not None:
            return "datastream"
        return "station" if self.station_id else "ring" if self.ring else "park"

    @property
    def nearness(self) -> tuple[int, int]:
        """What counts more is higher; a draft counts most of those that are equally near."""
        return SCOPES.index(self.scope), ("park_file", "api", "draft").index(self.origin.source)

    @property
    def said_by(self) -> str:
        """How the source of an overridden number is told."""
        where = {
            "park": "all rings",
            "ring": f"ring {self.ring}",
            "station": self.station_id,
            "datastream": f"datastream {self.datastream_id}",
        }[self.scope]
        named = "" if self.name == DEFAULT_NAME else f"{self.name} "
        about = f"{named}rule for {self.property_id} at {where}"
        if self.origin.source == "park_file":
            return f"park file, {about}"
        if self.origin.source == "draft":
            return f"draft, {about}"
        return f"{about}, version {self.origin.version} by {self.origin.by}: {self.origin.reason}"


class Overrides:
    """The overrides of one park, found by what they speak of."""

    def __init__(self, overrides: Iterable[Override] = ()) -> None:
        self.all = tuple(sorted(overrides, key=lambda override: override.nearness))
        self._of_property: defaultdict[str, list[Override]] = defaultdict(list)
        self._at_station: defaultdict[tuple[str, str], list[Override]] = defaultdict(list)
        self._of_datastream: defaultdict[int, list[Override]] = defaultdict(list)
        for override in self.all:
            if override.datastream_id is not None:
                self._of_datastream[override.datastream_id].append(override)
            elif override.station_id is not None:
                self._at_station[override.property_id, override.station_id].append(override)
            else:
                self._of_property[override.property_id].append(override)

    def about(
        self, ring: str, property_id: str, station_id: str | None = None, datastream_id: int | None = None
    ) -> list[Override]:
        """Those that speak of a property in a ring, at a station (None: at any) and of a datastream, nearest last."""
        found = list(self._of_property.get(property_id, ()))
        if station_id is not None:
            found += self._at_station.get((property_id, station_id), ())
        if datastream_id is not None:
            found += (own for own in self._of_datastream.get(datastream_id, ()) if own.property_id == property_id)
        return [override for override in found if override.ring in (None, ring)]

    def has_datastream(self, datastream_id: int) -> bool:
        """Whether one of them is about this very datastream."""
        return datastream_id in self._of_datastream

    def with_draft(self, draft: Override) -> "Overrides":
        """These and one more, which takes the place of one set over the API about the same."""
        return Overrides([*(override for override in self.all if not _replaced(override, draft)), draft])


def _replaced(override: Override, draft: Override) -> bool:
    return override.origin.source == "api" and about_what(override) == about_what(draft)


def about_what(override: Override) -> tuple[str, str, str | None, str | None, int | None]:
    """Two overrides of one origin never share this."""
    return override.name, override.property_id, override.ring, override.station_id, override.datastream_id
