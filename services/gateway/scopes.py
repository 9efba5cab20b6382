"""What a caller may do: scopes by verb and resource, on a set of parks. Pure.

`read` and `write` are every resource of a park at once; `admin` is everything. The audit is read with `audit:read` or
`admin` alone.
"""

from enum import StrEnum

ALL_PARKS = "*"


class Scope(StrEnum):
    """One right; what a key has, and what a route takes."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    """Everything."""
    PARKS_READ = "parks:read"
    PARKS_WRITE = "parks:write"
    OBSERVATIONS_READ = "observations:read"
    OBSERVATIONS_WRITE = "observations:write"
    DEVICES_READ = "devices:read"
    DEVICES_WRITE = "devices:write"
    ALARMS_READ = "alarms:read"
    ALARMS_WRITE = "alarms:write"
    RULES_READ = "rules:read"
    RULES_WRITE = "rules:write"
    RUNS_READ = "runs:read"
    RUNS_WRITE = "runs:write"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    SUBSCRIPTIONS_WRITE = "subscriptions:write"
    AUDIT_READ = "audit:read"


OUTSIDE_READ = frozenset((Scope.AUDIT_READ,))
"""What neither `read` nor `write` covers: it has to be given by name."""


def covers(given: frozenset[Scope], asked: Scope) -> bool:
    """Whether who was given these scopes has the one that is asked."""
    if asked in given or Scope.ADMIN in given:
        return True
    _, _, verb = asked.partition(":")
    return bool(verb) and asked not in OUTSIDE_READ and Scope(verb) in given


def common_scopes(one: frozenset[Scope], other: frozenset[Scope]) -> frozenset[Scope]:
    """What both cover."""
    return frozenset(scope for scope in Scope if covers(one, scope) and covers(other, scope))


def common_parks(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """The parks that both see; `*` sees all."""
    if ALL_PARKS in one:
        return other
    return one if ALL_PARKS in other else one & other
