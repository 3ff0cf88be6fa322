"""The files below /static: their paths, and their addresses in pages."""

from hashlib import sha256
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parents[1] / "static"

ASSETS: Final = {str(path.relative_to(STATIC)): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
"""The files that are served, by their path below /static; no other path leads to a file."""


def asset_url(name: str) -> str:
    """Return the address of a file below /static, with a fingerprint of its content."""
    return f"/static/{name}?v={sha256(ASSETS[name].read_bytes()).hexdigest()[:12]}"
