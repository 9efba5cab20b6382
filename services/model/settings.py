"""Settings of the model service and its workers."""

from pathlib import Path

from pydantic import Field

from shared.settings import ServiceSettings


class ModelSettings(ServiceSettings):
    """Addresses, times and limits."""

    model_host: str = "127.0.0.1"
    model_port: int = Field(default=8003, ge=1, le=65535)
    ingest_url: str = "http://127.0.0.1:8001"
    alerts_url: str = "http://127.0.0.1:8002"
    model_fact_days: int = Field(default=7, ge=1, description="how long the outbox keeps published facts")
    model_auto_run_every_s: float = Field(default=60.0, gt=0, description="how often an open alarm is computed anew")
    model_job_claim_after_s: float = Field(default=15.0, gt=0, description="silence after which a job changes hands")
    model_job_attempts: int = Field(default=3, ge=1, description="a run that fails its worker so often is set aside")
    model_run_limit_s: float = Field(default=120.0, gt=0, description="a run that takes longer is given up")
    model_met_stale_s: float = Field(default=900.0, gt=0, description="older weather is used, with a warning")
    model_met_refuse_s: float = Field(default=21_600.0, gt=0, description="older weather is refused")
    model_worker_alive_file: Path | None = Field(
        default=None, description="a worker touches it as long as its event loop turns, for a liveness probe"
    )
    model_runs_waiting: int = Field(default=200, ge=1, description="more waiting runs are refused with 503")
