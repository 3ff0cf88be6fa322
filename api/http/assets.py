"""The files below /static: their addresses, and the headers of the pages that use them."""

from hashlib import sha256
from pathlib import Path
from typing import Final

STATIC: Final = Path(__file__).parents[1] / "static"


ASSETS: Final = {str(path.relative_to(STATIC)): path for path in sorted(STATIC.rglob("*")) if path.is_file()}
"""The files that are served, by their path below /static; no other path leads to a file."""


POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",  # Swagger UI's style sheet has its icons in data: addresses
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)


PAGE_HEADERS: Final = {"Content-Security-Policy": POLICY, "Referrer-Policy": "no-referrer", "Cache-Control": "no-cache"}


def address(name: str) -> str:
    """Give the address of a file below /static, with a fingerprint of its content."""
    return f"/static/{name}?v={sha256(ASSETS[name].read_bytes()).hexdigest()[:12]}"
