"""`python -m services.alerts.lifecycle`: bring the diagram in docs/alerts/lifecycle.md up to date."""

import sys
from pathlib import Path

from services.alerts.lifecycle.diagram import renewed

PAGE = Path(__file__).parents[3] / "docs" / "alerts" / "lifecycle.md"


def main() -> None:
    """Write the page; exit status 2 with one line where it cannot be used."""
    try:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(renewed(page), encoding="utf-8")
    except (OSError, ValueError) as error:
        print(f"{PAGE}: {error}".replace("\n", " "), file=sys.stderr)
        raise SystemExit(2) from None
    print(PAGE)


if __name__ == "__main__":
    main()
