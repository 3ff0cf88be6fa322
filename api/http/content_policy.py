"""Content Security Policies: what a browser may load, run and send from a page or a file of this server."""

from typing import Final

HEADER: Final = "Content-Security-Policy"

_OWN_PAGE: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
}

SANDBOXED: Final = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""For content that somebody else wrote: a browser that shows it runs nothing and fetches nothing."""


def own_page(**changes: str) -> str:
    """Write the policy of one of our own pages: its files come from this server, and no page may frame it.

    `changes` adds or replaces directives: `img_src="'self' data:"` sets `img-src`.
    """
    directives = _OWN_PAGE | {name.replace("_", "-"): sources for name, sources in changes.items()}
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
