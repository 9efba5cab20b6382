"""Redis: the one factory of clients, with time-outs, keep-alive and retries."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

# A blocking read waits this long on the server; the socket must wait a little longer.
BLOCK_MS = 2_000


def create_redis(redis_url: str, name: str) -> Redis:
    """A client that gives and takes bytes. Connects lazily: it can be made while Redis is down."""
    return Redis.from_url(
        redis_url,
        client_name=f"fenceline-{name}",
        decode_responses=False,
        socket_connect_timeout=3,
        socket_timeout=BLOCK_MS / 1000 + 3,
        health_check_interval=15,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=1.0), 2),
    )


async def ping(redis: Redis) -> None:
    """Raise unless Redis answers; for the readiness path."""
    await redis.ping()
