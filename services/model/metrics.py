"""What the model service counts."""

from prometheus_client import Counter, Gauge, Histogram

RUNS_FINISHED = Counter("fenceline_model_runs_finished", "Runs that ended", ["state", "trigger"])
RUN_SECONDS = Histogram(
    "fenceline_model_run_seconds",
    "Time from taking a run to storing its result",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
COMPUTE_SECONDS = Histogram(
    "fenceline_model_compute_seconds",
    "Time of the numerics of a run",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
RUNS_UNFINISHED = Gauge("fenceline_model_runs_unfinished", "Runs that wait or run", ["state"])
QUEUE_AGE = Gauge("fenceline_model_queue_age_seconds", "How long the oldest waiting run has waited")
RUNS_TAKEN_OVER = Counter("fenceline_model_runs_put_back", "Runs that were put back in line")
