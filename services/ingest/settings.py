"""Settings of ingest."""

from pydantic import Field

from services.ingest.mqtt.settings import MqttSettings


class IngestSettings(MqttSettings):
    """Addresses and limits; every limit bounds memory or time."""

    ingest_host: str = "127.0.0.1"
    ingest_port: int = Field(default=8001, ge=1, le=65535)
    ingest_hj212_host: str = "127.0.0.1"
    ingest_hj212_port: int = Field(default=9212, ge=0, le=65535, description="0 lets the system choose")
    ingest_max_connections: int = Field(default=12_000, ge=1)
    ingest_max_connections_per_address: int = Field(default=12_000, ge=1, description="stations may share a gateway")
    ingest_idle_timeout_s: float = Field(default=600.0, gt=0, description="a connection that sends nothing is closed")
    ingest_half_frame_timeout_s: float = Field(default=60.0, gt=0, description="the rest of a frame has to come in")
    ingest_silent_after_s: float = Field(default=300.0, ge=30, description="a device that sends nothing is told silent")
    ingest_send_timeout_s: float = Field(default=10.0, gt=0, description="a station that takes no answers is closed")
    ingest_bytes_per_s: float = Field(default=262_144.0, gt=0, description="above it, a connection is read more slowly")
    ingest_burst_bytes: int = Field(default=8_388_608, ge=16_384, description="what may come at once all the same")
    ingest_clock_ahead_s: float = Field(default=600.0, ge=0, description="how far a device's clock may lead ours")
    ingest_clock_skew_s: float = Field(default=300.0, gt=0, description="beyond it, a device's readings are flagged W")
    ingest_stuck_after_s: float | None = Field(
        default=None,
        ge=600,
        le=86_400,
        description="gas readings that stand still for so long are flagged K; unset: never",
    )
    ingest_late_days: float = Field(default=1800.0, gt=0, le=1800, description="how old a reading may be that comes in")
    ingest_valid_share: float = Field(default=0.75, ge=0, le=1, description="of a period's readings, for a normal mean")
    ingest_command_over_time_s: float = Field(default=10.0, gt=0, description="a device's first answer to a command")
    ingest_command_tries: int = Field(default=3, ge=1, le=99, description="how often a command is sent")
    ingest_command_execution_s: float = Field(default=60.0, gt=0, description="a command's result, or its next record")
    ingest_command_connection_s: float = Field(default=3600.0, gt=0, description="a command waits for its device")
    ingest_gap_filling: bool = Field(default=True, description="ask devices for records that are missing")
    ingest_gap_every_s: float = Field(default=15.0, gt=0, description="between two rounds of asking")
    ingest_gap_settle_s: float = Field(default=300.0, ge=0, description="a device that is back sends again by itself")
    ingest_gap_look_s: float = Field(default=1800.0, gt=0, description="between two looks through a device's records")
    ingest_gap_days: float = Field(default=7.0, gt=0, le=366, description="how far back records are asked for")
    ingest_gap_requests: int = Field(default=20, ge=1, le=1000, description="devices that are asked at once, in all")
    ingest_batch_rows: int = Field(default=20_000, ge=1, le=100_000, description="rows of one transaction, about")
    ingest_batch_wait_s: float = Field(default=0.004, ge=0, le=1, description="how long a transaction gathers rows")
    ingest_writer_lanes: int = Field(default=2, ge=1, le=8, description="connections that store at the same time")
    ingest_queue_rows: int = Field(default=100_000, ge=1, description="rows that may wait to be stored")
    ingest_caller_rows_per_s: float = Field(default=50_000.0, gt=0, description="of one HTTP caller, else 429")
    ingest_caller_burst_rows: int = Field(default=500_000, ge=10_000, description="of one caller over HTTP at once")
    ingest_upload_bytes: int = Field(default=20 * 1024**3, ge=1024, description="of an upload of history, once opened")
    ingest_fact_days: int = Field(default=7, ge=1, description="how long the outbox keeps published facts")
    ingest_question_timeout_s: float = Field(default=10.0, ge=0.001, le=300, description="a statement of a question")
    ingest_question_connections: int = Field(default=4, ge=1, le=100, description="questions answered at once")
