"""`python -m services.gateway`: run the gateway."""

from services.gateway.app import SERVICE, build
from services.gateway.settings import GatewaySettings
from shared.web import serve

if __name__ == "__main__":
    settings = GatewaySettings.load()
    serve(build(settings), SERVICE, settings, settings.gateway_host, settings.gateway_port)
