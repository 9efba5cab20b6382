"""`python -m services.model` starts the model service."""

from services.model.app import build_app
from services.model.settings import ModelSettings
from shared.web import serve


def main() -> None:
    """Serve until told to stop."""
    settings = ModelSettings.load()
    serve(build_app(settings), "model", settings, settings.model_host, settings.model_port)


if __name__ == "__main__":
    main()
