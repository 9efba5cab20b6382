"""Settings of the alerts service."""

import re
import socket
from datetime import timedelta

from pydantic import Field

from services.alerts.lifecycle import Habits
from services.alerts.rules import Delays
from shared.levels import Colour
from shared.settings import ServiceSettings


class AlertsSettings(ServiceSettings):
    """Address, share of the shards, and the defaults that no guide fixes (all times in seconds)."""

    alerts_host: str = "127.0.0.1"
    alerts_port: int = Field(default=8002, ge=1, le=65535)
    ingest_url: str = Field(default="http://127.0.0.1:8001", description="where ingest answers")
    alerts_replicas: int = Field(default=1, ge=1, le=1024, description="how many of this service run")
    alerts_ordinal: int | None = Field(default=None, ge=0, description="which of them this is; else from the host name")
    alerts_on_delay_source_s: float = Field(default=10.0, ge=0, le=3600)
    alerts_on_delay_fence_s: float = Field(default=30.0, ge=0, le=3600, description="boundary and receptors")
    alerts_off_delay_s: float = Field(default=60.0, ge=0, le=86400)
    alerts_deadband_fraction: float = Field(default=0.1, ge=0, lt=1)
    alerts_max_gap_s: float = Field(default=180.0, gt=0, description="a wider gap breaks the evidence")
    alerts_reorder_bound_s: float = Field(default=120.0, ge=0, le=3600, description="how late a reading may come")
    alerts_across_bound_s: float = Field(
        default=900.0, gt=0, le=3600, description="how late a reading may come for rules across stations"
    )
    alerts_live_horizon_s: float = Field(default=3600.0, gt=0, description="older readings raise no live alarm")
    alerts_ahead_s: float = Field(default=600.0, ge=0, description="how far a station's clock may lead")
    alerts_silence_s: float = Field(default=180.0, gt=0, description="of a station with real-time data")
    alerts_silence_slow_s: float = Field(default=1800.0, gt=0, description="of a station with minute data only")
    alerts_silence_colour: Colour = Field(default=Colour.BLUE, description="how grave it is that a station is silent")
    alerts_chattering_raises: int = Field(default=3, ge=2, le=100, description="that many raises close together")
    alerts_chattering_within_s: float = Field(default=60.0, gt=0, description="how close (event time)")
    alerts_stale_s: float = Field(default=86400.0, gt=0, description="an alarm that stands longer is stale")
    alerts_shelve_most_s: float = Field(default=28_800.0, gt=0, description="an alarm can be shelved: one shift")
    alerts_maintenance_most_s: float = Field(default=604_800.0, gt=0, description="a station can be under maintenance")
    alerts_fact_days: int = Field(default=30, ge=1, description="how long the outbox keeps published facts")

    @property
    def delays(self) -> Delays:
        """The defaults of every rule."""
        return Delays(
            on_source_s=self.alerts_on_delay_source_s,
            on_fence_s=self.alerts_on_delay_fence_s,
            off_s=self.alerts_off_delay_s,
            deadband_fraction=self.alerts_deadband_fraction,
            max_gap_s=self.alerts_max_gap_s,
        )

    @property
    def habits(self) -> Habits:
        """What counts as chattering and as stale."""
        return Habits(
            chattering_raises=self.alerts_chattering_raises,
            chattering_within=timedelta(seconds=self.alerts_chattering_within_s),
            stale_after=timedelta(seconds=self.alerts_stale_s),
        )

    def ordinal(self, hostname: str | None = None) -> int:
        """Which replica this is: as set, else the number at the end of the host name (StatefulSet: `alerts-2`).

        Raises ValueError where several replicas run and neither tells, or the number is not below their count.
        """
        ordinal = self.alerts_ordinal
        if ordinal is None and self.alerts_replicas == 1:
            return 0
        if ordinal is None:
            name = hostname if hostname is not None else socket.gethostname()
            match = re.search(r"-(\d+)$", name)
            if match is None:
                raise ValueError(
                    f"FENCELINE_ALERTS_ORDINAL: not set, and the host name {name!r} does not end in -<number>, "
                    f"but FENCELINE_ALERTS_REPLICAS is {self.alerts_replicas}"
                )
            ordinal = int(match.group(1))
        if ordinal >= self.alerts_replicas:
            raise ValueError(
                f"FENCELINE_ALERTS_ORDINAL: {ordinal} is not below FENCELINE_ALERTS_REPLICAS, {self.alerts_replicas}"
            )
        return ordinal

    def owned_shards(self, hostname: str | None = None) -> list[int]:
        """The shards of this replica: those whose remainder by the number of replicas is its ordinal."""
        ordinal = self.ordinal(hostname)
        return [shard for shard in range(self.observation_shards) if shard % self.alerts_replicas == ordinal]
