"""Which connections the web socket server accepts: pages of this server and of CORS_ORIGINS, and programs."""

from urllib.parse import urlsplit

from flask import Flask
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from errand.process.ports import http_url
from errand.settings import Settings
from errand.trust.web_origins import TrustedHosts, parse_origins

MOST = 100  # connections at a time; each has three threads


def refusal(app: Flask, connection: ServerConnection, request: Request) -> Response | None:
    """Refuse pages of other sites, as browsers don't; accept programs, which send no Origin."""
    origin, host = request.headers.get("Origin"), request.headers.get("Host", "")
    settings: Settings = app.extensions["errand"].settings
    if fault := TrustedHosts({settings.host, *settings.trusted_names}).fault_of(host):
        return connection.respond(421, f"{fault}\n")
    if origin is not None and origin not in pages(settings, host):
        return connection.respond(403, "Only pages of this server, or of CORS_ORIGINS, may connect.\n")
    if len(connection.server.connections) >= MOST:
        return connection.respond(503, "Too many connections; try again later.\n")
    return None


def pages(settings: Settings, host: str) -> set[str]:
    """Return the origins whose pages may connect: the API's, under the name that this request has, and CORS_ORIGINS."""
    name = urlsplit(f"//{host}").hostname or ""
    own = http_url(name, settings.port) if name else ""
    return {own.removesuffix(":80"), settings.public_origin, *parse_origins(settings.cors_origins)} - {""}
