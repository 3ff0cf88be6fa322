"""The web server behind `http.py`: eventlet's WSGI server in the worker's own process, on WEB_SERVER_ADDRESS.

nameko's own server would end the service when the process runs out of file descriptors, wait for ever for a silent
client, cut off responses when it stops, and share its port with any other service.
"""

import json
import logging
from http import HTTPStatus
from typing import Any

import eventlet
from eventlet import greenio, wsgi
from eventlet.event import Event
from eventlet.semaphore import Semaphore
from nameko.constants import WEB_SERVER_CONFIG_KEY
from nameko.web.handlers import Response
from nameko.web.server import HTTPException, Request, WebServer, parse_address

from errand.errors import SettingsRefused
from errand.trust.web_origins import TrustedHosts, parse_hosts
from schemas.problems import MEDIA_TYPE
from workers.dependencies import settings_of

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 200
"""Connections at a time; further ones wait. Errand's own services share the process's file descriptors."""
SILENCE_SECONDS = 30.0
"""How long a client may send nothing, or not read its response."""
BACKLOG = 128
"""Connections that the kernel queues until they are accepted."""
ACCEPT_PAUSE_SECONDS = 0.2
"""Pause after a failed accept."""


class SafeWebServer(WebServer):  # type: ignore[misc]  # nameko has no annotations
    """Serves all `@http` methods of one service, on a port of its own."""

    def __init__(self) -> None:
        """Prepare to listen; no port is opened yet."""
        super().__init__()
        self._free_connections = Semaphore(MAX_CONNECTIONS)
        self._connections: list[list[Any]] = []  # eventlet's: address, socket, state
        self._empty = Event()
        self._listener: Any = None
        self._acceptor: Any = None  # the greenthread of `run`
        self._accepting = True

    @property
    def bind_addr(self) -> tuple[str, int]:
        """The host and port of the container's own configuration, else of the settings."""
        text = self.container.config.get(WEB_SERVER_CONFIG_KEY) or settings_of(self).web_server_address
        host, port = parse_address(text)
        return host, port

    def check(self) -> None:
        """Open the port, so that no other process takes it before `start`; raise SettingsRefused if that fails."""
        host, port = self.bind_addr
        try:
            self._listener = eventlet.listen((host, port), backlog=BACKLOG, reuse_port=False)
        except (OSError, OverflowError) as fault:
            raise SettingsRefused(
                f"{WEB_SERVER_CONFIG_KEY}: {self.container.service_name} can't listen on {host or '*'}:{port} "
                f"({getattr(fault, 'strerror', None) or fault}); stop what listens there or choose another address."
            ) from None

    def start(self) -> None:
        """Accept connections; raises as `check` does."""
        if self._acceptor is not None:
            return  # each method starts the server that they all share
        if self._listener is None:
            self.check()
        self._listener.settimeout(None)  # kombu may have changed the default timeout of all sockets
        self._server = self.get_wsgi_server(self._listener, self.get_wsgi_app())
        self._acceptor = self.container.spawn_managed_thread(self.run)
        host, port = self._listener.getsockname()[:2]
        log.info("%s answers on http://%s:%d", self.container.service_name, host, port, extra={"action": "answering"})

    def run(self) -> None:
        """Accept connections until stopped, whatever goes wrong with one of them."""
        while self._accepting:
            self._free_connections.acquire()
            try:
                sock, address = self._listener.accept()
            except OSError as fault:
                self._free_connections.release()
                log.warning("No connection: %s", fault, extra={"action": "accept_failed"})
                eventlet.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            sock.settimeout(SILENCE_SECONDS)
            connection = [address, sock, wsgi.STATE_IDLE]
            self._connections.append(connection)
            self.container.spawn_managed_thread(lambda each=connection: self._serve(each), identifier="web")

    def _serve(self, connection: list[Any]) -> None:
        try:
            self._server.process_request(connection)
        except Exception as fault:  # noqa: BLE001 -- whatever a client can do to a connection
            log.info("A connection broke: %r", fault, extra={"action": "connection_broke"})
        finally:
            connection[1].close()
            self._connections.remove(connection)
            self._free_connections.release()
            if not (self._connections or self._accepting or self._empty.ready()):
                self._empty.send()

    def get_wsgi_app(self) -> "WebApp":
        """Return the WSGI application."""
        return WebApp(self)

    def get_wsgi_server(self, sock: Any, wsgi_app: Any) -> Any:
        """Return the server; it logs no requests, as the API logs none."""
        timeouts = {"keepalive": SILENCE_SECONDS, "socket_timeout": SILENCE_SECONDS}
        return wsgi.Server(sock, sock.getsockname(), wsgi_app, log_output=False, debug=False, **timeouts)

    def wind_down(self) -> None:
        """Accept no more connections, close idle ones, and return when the others are answered."""
        if not self._accepting or self._acceptor is None:
            return
        self._close()
        for connection in list(self._connections):
            was, connection[2] = connection[2], wsgi.STATE_CLOSE
            if was == wsgi.STATE_IDLE:
                greenio.shutdown_safe(connection[1])
        if self._connections:
            self._empty.wait()

    def stop(self) -> None:
        """Return when all methods have stopped."""
        self.wait_for_providers()

    def kill(self) -> None:
        """Stop at once; the container kills the connections' greenthreads."""
        self._close()

    def _close(self) -> None:
        self._accepting = False
        if self._acceptor is not None:
            self._acceptor.kill()
        if self._listener is not None:
            self._listener.close()


class WebApp:
    """Routes a request to its method; answers with a problem where there is none."""

    def __init__(self, web: SafeWebServer) -> None:
        """Collect the paths of all methods, and the names that this server has."""
        self._paths = web.make_url_map()
        self._hosts = TrustedHosts({web.bind_addr[0], *parse_hosts(settings_of(web).trusted_hosts)})

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer a WSGI request."""
        if fault := self._hosts.fault_of(environ.get("HTTP_HOST", "")):
            return problem(421, fault)(environ, start_response)
        try:
            provider, arguments = self._paths.bind_to_environ(environ).match()
        except HTTPException as refusal:
            answer = refused(refusal)
        else:
            request = Request(environ)
            request.path_values = arguments
            answer = provider.handle_request(request)
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")  # as in the API
        return answer(environ, start_response)


def refused(refusal: Any) -> Any:
    """Return the response to one of werkzeug's errors or redirects."""
    if refusal.code is None or refusal.code < 400:
        return refusal.get_response()
    answer = problem(refusal.code, refusal.description or refusal.name)
    answer.headers.extend(header for header in refusal.get_headers() if header[0] != "Content-Type")
    return answer


def problem(status: int, detail: str) -> Any:
    """Return a problem response (RFC 9457)."""
    members = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(json.dumps(members) + "\n", status, content_type=MEDIA_TYPE)
