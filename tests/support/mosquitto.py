"""A real MQTT broker: Debian's mosquitto, started for a test on a port of its own."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from launcher.install import find_broker
from launcher.ports import free_port


@dataclass
class Mosquitto:
    """A broker that can be stopped and started again; it keeps its sessions."""

    folder: Path
    port: int
    more: str = ""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it listens."""
        program, environment = find_broker() or (None, {})
        assert program is not None, "no mosquitto: `make test` installs one"
        self.folder.mkdir(exist_ok=True)
        settings = self.folder / "mosquitto.conf"
        lines = [
            "per_listener_settings false",
            f"listener {self.port} 127.0.0.1",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {self.folder}/",
            "autosave_interval 1",
            f"log_dest file {self.folder}/log",
            "log_type all",
            *(["user root"] if os.geteuid() == 0 else []),
            self.more,
        ]
        settings.write_text("\n".join(lines) + "\n")
        self.process = subprocess.Popen([program, "-c", settings], env=os.environ | environment)
        until = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.05)

    def log(self) -> str:
        """What it says that it did, packet by packet."""
        return (self.folder / "log").read_text()

    def stop(self) -> None:
        """Stop; what is queued is kept."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
            self.process = None


@contextmanager
def mosquitto(folder: Path, more: str = "") -> Iterator[Mosquitto]:
    """A running broker with further lines of configuration."""
    broker = Mosquitto(folder, free_port(), more)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
