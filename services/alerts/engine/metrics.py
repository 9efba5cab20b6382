"""What the engine tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

EVALUATED = Counter("fenceline_alerts_readings", "Readings of gas, by what became of them", ["outcome"])
TRANSITIONS = Counter("fenceline_alerts_transitions", "Alarm transitions told to subscribers", ["transition", "colour"])
OPEN_ALARMS = Gauge("fenceline_alerts_open_alarms", "Open alarms of all parks", ["colour"])
REFUSED_FACTS = Counter("fenceline_alerts_refused_facts", "Facts set aside because they could not be used")
LAG = Histogram(
    "fenceline_alerts_evaluation_lag_seconds",
    "From ingest's receipt of readings to the commit of what they did",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600),
)
ACROSS_POSITION = Gauge(
    "fenceline_alerts_across_position", "Last fact that rules across stations were evaluated on", ["share", "stream"]
)
