"""Refuses what a page of another site has a browser do: unsafe requests, and requests for a name that isn't ours.

Programs send neither `Origin` nor `Sec-Fetch-Site`, and notice nothing. Pages of CORS_ORIGINS may do everything.
"""

import re
from typing import Final

from flask import Flask, request
from flask_cors import CORS
from werkzeug.exceptions import MisdirectedRequest

from errand.errors import CrossSiteRefused
from errand.settings import Settings
from errand.trust.web_origins import TrustedHosts, parse_origins

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES: Final = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site` for pages of this server, and for what a person typed."""
BY_LINK: Final = frozenset({"unsubscribe"})
"""Blueprints whose links nobody can guess; their pages send no origin."""

ALLOWED_HEADERS: Final = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "Prefer"),
    "X-API-Key",
)
"""Headers that pages of CORS_ORIGINS may send."""
EXPOSED_HEADERS: Final = ("Content-Disposition", "ETag", "Link", "Location", "Preference-Applied", "Retry-After")
"""Headers that they may read."""
PREFLIGHT_SECONDS: Final = 600
"""How long a browser may remember that it may send such a request."""


class CrossSiteGuard:
    """Checks the requests of one app."""

    def __init__(self, settings: Settings) -> None:
        """Trust the hosts and origins of the settings."""
        self._hosts = TrustedHosts({settings.host, *settings.trusted_names})
        self._cors = parse_origins(settings.cors_origins)
        self._allowed = {settings.public_origin, *self._cors} - {""}

    def install(self, app: Flask) -> None:
        """Check every request of the app, also those of plug-ins."""
        app.before_request(self.refuse_cross_site)
        if self._cors:
            exactly = [re.compile(re.escape(origin) + r"\Z") for origin in self._cors]
            CORS(
                app,
                origins=exactly,
                allow_headers=list(ALLOWED_HEADERS),
                expose_headers=list(EXPOSED_HEADERS),
                max_age=PREFLIGHT_SECONDS,
            )

    def require_trusted(self, host: str) -> None:
        """Raise MisdirectedRequest unless this server answers for the host."""
        if fault := self._hosts.fault_of(host):
            raise MisdirectedRequest(fault)

    def refuse_cross_site(self) -> None:
        """Raise CrossSiteRefused if a page of another site sends an unsafe request."""
        environ = request.environ  # read directly: `request.headers` makes an object for each request
        site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
        if (site is None and origin is None) or environ["REQUEST_METHOD"] in SAFE_METHODS:
            return
        if site in OWN_SITES or origin in self._allowed:
            return
        if site is None and origin == request.host_url.rstrip("/"):
            return  # a browser that sends no Sec-Fetch-Site to an http:// address
        if request.blueprint not in BY_LINK:
            raise CrossSiteRefused()
