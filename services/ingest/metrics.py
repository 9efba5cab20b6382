"""What ingest counts."""

from prometheus_client import Counter, Gauge, Histogram

FRAMES = Counter("fenceline_ingest_frames", "HJ 212 frames, and bytes that were none, committed", ["verdict"])
ROWS = Counter("fenceline_ingest_rows", "Observations by what became of them", ["status"])
UNMAPPED = Counter("fenceline_ingest_unmapped_readings", "Readings of factors that no datastream has")
BATCH_ROWS = Histogram(
    "fenceline_ingest_batch_rows",
    "Observations in one transaction",
    buckets=(0, 1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 50_000),
)
COMMIT_SECONDS = Histogram(
    "fenceline_ingest_commit_seconds",
    "Time of one transaction",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
RETRIES = Counter("fenceline_ingest_commit_retries", "Transactions that had to be tried again")
QUEUED = Gauge("fenceline_ingest_queue_rows", "Rows that wait to be stored")
DEVICES = Gauge("fenceline_ingest_registered_devices", "Devices in the registry as it was last read")
CONNECTIONS = Gauge("fenceline_ingest_connections", "Connections of stations")
TURNED_AWAY = Counter("fenceline_ingest_connections_turned_away", "Connections over a limit", ["limit"])
SLOWED = Counter("fenceline_ingest_connections_slowed", "Times that a connection sent more than its share")
RESENT = Counter("fenceline_ingest_resent_messages", "HJ 212 messages that say they are sent again (RF=1)")
DIVIDED = Counter("fenceline_ingest_divided_messages", "HJ 212 messages in parts by whether all came", ["outcome"])
CLOCKS_SKEWED = Gauge("fenceline_ingest_clocks_skewed", "Devices whose clock is off by more than the limit")
CLOSED = Counter("fenceline_ingest_connections_closed", "Connections closed by ingest", ["why"])
COMMANDS = Counter("fenceline_ingest_commands", "Commands to devices: each sending, and how they ended", ["state"])
MQTT_CONNECTED = Gauge("fenceline_ingest_mqtt_connected", "Whether the broker is connected and subscribed to")
MQTT_MESSAGES = Counter("fenceline_ingest_mqtt_messages", "MQTT messages by what became of them", ["verdict"])
