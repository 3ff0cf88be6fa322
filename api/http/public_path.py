"""Answers below the path of PUBLIC_URL, whether or not the proxy in front strips it.

`https://example.org/errand/jobs` arrives as `/jobs` from a proxy that strips `/errand`, and as `/errand/jobs` from one
that doesn't. Both become `/jobs` here, with SCRIPT_NAME `/errand`, which all paths in answers begin with.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from werkzeug.routing import Rule

from errand.errors import SettingsRefused

WsgiApp = Callable[[dict[str, Any], Any], Iterable[bytes]]

TAKEN: Final = "PUBLIC_URL: the API has paths of its own that begin with %s; choose another path, such as /errand"


class PublicPath:
    """A WSGI app that answers below `path` as well as without it."""

    def __init__(self, app: WsgiApp, path: str) -> None:
        """Wrap `app`; `path` is like `/errand`."""
        self._app, self._path, self._below = app, path, f"{path}/"

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Move the public path from PATH_INFO to SCRIPT_NAME."""
        asked = environ["PATH_INFO"]
        if asked == self._path or asked.startswith(self._below):
            environ["PATH_INFO"] = asked[len(self._path) :] or "/"
        environ["SCRIPT_NAME"] = self._path
        return self._app(environ, start_response)


def refuse_taken_path(path: str, rules: Iterable[Rule]) -> None:
    """Raise SettingsRefused if a route begins as `path` does: `/jobs/1` could be either."""
    first = path.split("/")[1]
    if any(rule.rule.split("/")[1] == first for rule in rules):
        raise SettingsRefused(TAKEN % f"/{first}")
