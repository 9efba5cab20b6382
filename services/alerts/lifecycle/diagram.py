"""The table of transitions as a diagram (Mermaid) and as a table (Markdown), for the page that describes it."""

from collections import defaultdict

from services.alerts.lifecycle.transitions import TRANSITIONS, Action, When, allowed
from shared.messages import AlarmState

BEGIN = "<!-- Made by `python -m services.alerts.lifecycle` from the table of transitions: change that, not this. -->"
END = "<!-- Here ends what is made. -->"

Leads = list[tuple[When | None, AlarmState]]


def leads(state: AlarmState, action: Action) -> Leads:
    """Where a legal action leads, and when; None: always."""
    after = TRANSITIONS[state, action]
    return [(None, after)] if isinstance(after, AlarmState) else list(after.items())


def diagram() -> str:
    """Every way from one state to another, as a Mermaid state diagram."""
    ways: defaultdict[tuple[AlarmState, AlarmState], list[str]] = defaultdict(list)
    for state in AlarmState:
        for action in allowed(state):
            for when, after in leads(state, action):
                if after is not state:
                    ways[state, after].append(_words(action) + (f" [{when}]" if when is not None else ""))
    lines = [f"    {before} --> {after}: {', '.join(labels)}" for (before, after), labels in ways.items()]
    return "\n".join(["```mermaid", "stateDiagram-v2", f"    [*] --> {AlarmState.NORMAL}", *lines, "```"])


def table() -> str:
    """Every transition, as a table in Markdown."""
    rows = [
        f"| `{state}` | {_words(action)} | {_targets(state, action)} |"
        for state in AlarmState
        for action in allowed(state)
    ]
    return "\n".join(["| state | action | leads to |", "|---|---|---|", *rows])


def renewed(page: str) -> str:
    """The page with what is made of the table as it is now; raises ValueError where the marks are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for it: write\n{BEGIN}\n{END}")
    return f"{before}{BEGIN}\n\n{diagram()}\n\n{table()}\n\n{END}{after}"


def _targets(state: AlarmState, action: Action) -> str:
    return "; ".join(f"`{after}`" + (f" ({when})" if when is not None else "") for when, after in leads(state, action))


def _words(action: Action) -> str:
    return action.value.replace("_", " ")
