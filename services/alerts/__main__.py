"""`python -m services.alerts`: run the alerts service."""

import sys

from services.alerts.app import SERVICE, build_app
from services.alerts.settings import AlertsSettings
from shared.web import serve


def main() -> None:
    """Read the settings and serve; exit status 2 with one line where they cannot be used."""
    settings = AlertsSettings.load()
    try:
        app = build_app(settings)
    except ValueError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    serve(app, SERVICE, settings, settings.alerts_host, settings.alerts_port)


if __name__ == "__main__":
    main()
