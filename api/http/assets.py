"""The files below /static: our own, and Swagger UI's from its package. Their paths, and their addresses in pages."""

from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from flask import request

STATIC: Final = Path(__file__).parents[1] / "static"
SWAGGER_UI: Final = Path(str(files("flask_swagger_ui"))) / "dist"
"""The package's copy of npm's swagger-ui-dist. Its Flask blueprint is not used: it knows neither our page nor its
policy."""
SWAGGER_UI_FILES: Final = ("favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css")

ASSETS: Final = {
    **{str(path.relative_to(STATIC)): path for path in sorted(STATIC.rglob("*")) if path.is_file()},
    **{f"swagger-ui/{name}": SWAGGER_UI / name for name in SWAGGER_UI_FILES},
}
"""The files that are served, by their path below /static; no other path leads to a file."""


def asset_url(name: str) -> str:
    """Return the address of a file below /static, with a fingerprint of its content."""
    return f"{request.root_path}/static/{name}?v={_fingerprint(name)}"


@cache
def _fingerprint(name: str) -> str:
    return sha256(ASSETS[name].read_bytes()).hexdigest()[:12]
