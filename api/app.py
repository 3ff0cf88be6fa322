"""Assembles the API: settings, store and relay go in, a Flask app comes out.

`serving/wsgi.py` chooses the real parts, tests choose their own. A request then goes to the view of its path; a job
begins in `jobs/submit.py`. Next: `jobs/submit.py`.
"""

from functools import cache
from typing import Any, Final

from flask import Flask, Request
from flask.json.provider import DefaultJSONProvider
from flask.sessions import NullSession, SessionInterface
from werkzeug.routing import BaseConverter, MapAdapter

from api import extending, plugins
from api.checks.catalogue import CachedCatalogue
from api.context import Errand
from api.dispatch.group_commit import GroupCommit
from api.docs import site
from api.events.views import streams
from api.feed.broadcaster import Broadcaster
from api.http import problems
from api.http.answer import Answer
from api.http.body import key_fault, refusal, refuse_content_encoding
from api.http.cross_site import CrossSiteGuard
from api.http.json_text import KeyRepeated, parse_json
from api.http.public_path import PublicPath, refuse_taken_path
from api.http.trusted_proxies import TrustedProxies
from api.jobs.batch import batch
from api.jobs.control import control
from api.jobs.listing import listing
from api.jobs.notifications import notifications
from api.jobs.operations import operations
from api.jobs.replays import replays
from api.jobs.show import reports
from api.jobs.submit import accepting
from api.monitoring.metrics import metrics
from api.monitoring.probes import probes
from api.pages.job import view
from api.pages.unsubscribe import unsubscribe
from api.ports import DoorbellRelay, JobStore
from api.schedules.views import schedules
from errand.settings import Settings
from errand.trust.links import SignedLinks
from schemas.jobs import canonical_id
from schemas.requests import MAX_BODY_BYTES

BLUEPRINTS: Final = (
    accepting,
    batch,
    operations,
    reports,
    listing,
    control,
    notifications,
    replays,
    schedules,
    streams,
    view,
    unsubscribe,
    probes,
    metrics,
    site.pages,
)


class JobIdConverter(BaseConverter):
    """A path segment that may be a job's id: anything but the fixed segments below /jobs.

    An id in upper case is the same id (RFC 9562, 4).
    """

    regex = "(?!(?:batch|retry)$)[^/]+"
    part_isolating = True  # the expression contains a slash but never matches one

    def to_python(self, value: str) -> str:
        """Return an id in lower case, and any other text unchanged."""
        return canonical_id(value)


class NoSessions(SessionInterface):
    """The API has no sessions, so no request looks for a cookie."""

    empty = NullSession()

    def open_session(self, app: Flask, request: object) -> NullSession:
        """Return the same empty session for every request."""
        return self.empty


class Json(DefaultJSONProvider):
    """Reads JSON for `request.get_json()` of plug-ins as `api/http/body.py` does: deep nesting can't bring it down.

    Writes what their views return with the keys in the order of the dict.
    """

    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse JSON; raise ValueError, or JobRefused if a key is given twice."""
        try:
            return parse_json(s)
        except KeyRepeated as repeated:
            raise refusal([key_fault(repeated)]) from None


class Api(Flask):
    """A Flask subclass: JSON answers, no sessions, and one cached URL adapter for each host that clients ask for."""

    response_class = Answer
    json_provider_class = Json
    jinja_options: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True}  # noqa: RUF012 -- as Flask has it
    session_interface = NoSessions()

    ADAPTER_KEYS: Final = (
        *("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme"),
        *("HTTP_CONNECTION", "HTTP_UPGRADE"),
    )
    """Keys of the WSGI environment on which a URL adapter depends, apart from path, query and method."""
    MAX_ADAPTERS: Final = 64
    """Maximum number of cached adapters: a client may send any host."""

    def __init__(self, settings: Settings) -> None:
        """Make a Flask app without routes and cached adapters."""
        super().__init__("api", static_folder=None)
        self._adapters: dict[tuple[Any, ...], tuple[MapAdapter, str]] = {}
        self._guard = CrossSiteGuard(settings)
        self._guard.install(self)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the URL adapter of a request. Flask would parse and check the host again: a tenth of its time."""
        if request is None:
            return super().create_url_adapter(None)
        environ = request.environ
        key = tuple(map(environ.get, self.ADAPTER_KEYS))
        cached = self._adapters.get(key)
        if cached is None:
            self._guard.require_trusted(environ.get("HTTP_HOST", ""))
            adapter = super().create_url_adapter(request)
            if adapter and len(self._adapters) < self.MAX_ADAPTERS:
                self._adapters[key] = adapter, request.host
            return adapter
        adapter, request.host = cached
        return MapAdapter(
            self.url_map,
            adapter.server_name,
            adapter.script_name,
            adapter.subdomain,
            adapter.url_scheme,
            _decoded(environ.get("PATH_INFO", "/")),
            environ["REQUEST_METHOD"],
            _decoded(environ.get("QUERY_STRING", "")),
        )


def _decoded(text: str) -> str:
    """Decode text that WSGI gives as Latin-1 and the client sent as UTF-8."""
    return text.encode("latin1").decode(errors="replace")


def create_app(settings: Settings, store: JobStore, relay: DoorbellRelay) -> Api:
    """Make an app that stores jobs in `store` and rings doorbells through `relay`; it connects to neither yet.

    Raises SettingsRefused when EXAMPLES names something that is not a plug-in, and as `app_of_routes` does.
    """
    app = app_of_routes(settings)
    links = cache(lambda: SignedLinks(store.link_secret(), settings.base_url))
    app.extensions["errand"] = Errand(
        settings, store, relay, CachedCatalogue(store), Broadcaster(store), links, GroupCommit(store)
    )
    extending.prepare(app, settings)
    site.prepare(app)
    return app


def app_of_routes(settings: Settings) -> Api:
    """Make an app with routes but no store or relay.

    Raises SettingsRefused for a plug-in that can't be loaded, and for a PUBLIC_URL whose path begins as a route does.
    """
    app = Api(settings)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES + 1  # one byte more, so that body.py sees too large a body
    app.url_map.strict_slashes = False
    app.url_map.converters["job"] = JobIdConverter
    problems.register(app)
    app.before_request(refuse_content_encoding)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.mailbox:
        from api.mailbox.views import mailbox  # for development only

        app.register_blueprint(mailbox)
    plugins.register(app, settings)
    if path := settings.public_path:
        refuse_taken_path(path, app.url_map.iter_rules())
        app.wsgi_app = PublicPath(app.wsgi_app, path)  # type: ignore[method-assign]  # as Flask's docs do it
    if networks := settings.proxy_networks:
        believing = TrustedProxies(app.wsgi_app, networks, takes_prefix=not settings.public_url)
        app.wsgi_app = believing  # type: ignore[method-assign]  # the same
    return app
