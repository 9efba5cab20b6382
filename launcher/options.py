"""What the person who starts the launcher may choose, from the environment and the command line."""

import os
from dataclasses import dataclass
from pathlib import Path

from launcher.ports import port_is_free
from launcher.tell import Refusal

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one start."""

    folder: Path
    page_host: str
    page_port: int
    hj212_host: str
    hj212_port: int
    park: Path
    simulator: bool
    speed: float
    database_url: str | None
    redis_url: str | None

    @classmethod
    def read(cls, *, simulator: bool = True, speed: float | None = None) -> "Options":
        """The choices of the environment, with the command line's on top; Refusal for what makes no sense."""
        said = os.environ
        chosen = speed if speed is not None else _number("FENCELINE_DEMO_SPEED", 1.0)
        if not 1 <= chosen <= 1000:
            raise Refusal("the speed must lie between 1 and 1000", "速度须在 1 与 1000 之间")
        return cls(
            folder=Path(said.get("FENCELINE_HOME") or ROOT / ".fenceline"),
            page_host=said.get("FENCELINE_GATEWAY_HOST") or "127.0.0.1",
            page_port=int(_number("FENCELINE_HTTP_PORT", 8000)),
            hj212_host=said.get("FENCELINE_INGEST_HJ212_HOST") or "127.0.0.1",
            hj212_port=int(_number("FENCELINE_INGEST_HJ212_PORT", 9212)),
            park=Path(said.get("FENCELINE_PARK") or ROOT / "simulator" / "park.yaml"),
            simulator=simulator,
            speed=chosen,
            database_url=said.get("FENCELINE_DATABASE_URL") or None,
            redis_url=said.get("FENCELINE_REDIS_URL") or None,
        )

    @property
    def page(self) -> str:
        """Where a browser on this machine finds the page."""
        return f"http://{_near(self.page_host)}:{self.page_port}"

    @property
    def hj212_near(self) -> str:
        """The host by which a program on this machine reaches the HJ 212 port."""
        return _near(self.hj212_host)

    def check_ports(self) -> None:
        """Refusal where a port that others rely on is taken."""
        for host, port, name in (
            (self.page_host, self.page_port, "FENCELINE_HTTP_PORT"),
            (self.hj212_host, self.hj212_port, "FENCELINE_INGEST_HJ212_PORT"),
        ):
            if not port_is_free(port, host):
                raise Refusal(
                    f"port {port} is in use: stop what uses it, or choose another: {name}={port + 1} make run",
                    f"端口 {port} 已被占用：请停止占用它的程序，或改用其他端口：{name}={port + 1} make run",
                )


def _near(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 (compared, not bound)


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        return float(text) if text else default
    except ValueError:
        raise Refusal(f"{name} must be a number, not {text!r}", f"{name} 须为数字，而不是 {text!r}") from None
