"""`python -m services.ingest`."""

from services.ingest.app import SERVICE, build_app
from services.ingest.settings import IngestSettings
from shared.web import serve

if __name__ == "__main__":
    settings = IngestSettings.load()
    serve(build_app(settings), SERVICE, settings, settings.ingest_host, settings.ingest_port)
