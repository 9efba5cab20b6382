"""How long a release lasts: HJ 169-2018, section 8.2.2 (from memory).

With an emergency isolation system a leak is shut after 10 minutes, without one after 30; a pool evaporates for 15 to 30
minutes before it is covered or taken up.
"""

ISOLATED_S = 600.0
NOT_ISOLATED_S = 1800.0
POOL_SHORTEST_S = 900.0
POOL_LONGEST_S = 1800.0


def release_time_s(has_isolation_system: bool) -> float:
    """Return how long a leak lasts [s] with or without a system that isolates it."""
    return ISOLATED_S if has_isolation_system else NOT_ISOLATED_S
