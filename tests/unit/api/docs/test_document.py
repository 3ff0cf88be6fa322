"""Every route has an end-to-end test: one that names it in a request over real HTTP."""

import re
from pathlib import Path

from flask import Flask

END_TO_END = Path(__file__).parents[3] / "e2e"
VERBS = {"GET": "get|stream|stream_of|goto", "POST": "post", "PUT": "put", "DELETE": "delete"}
"""What tests call to make a request."""


def request_of(rule: str, method: str) -> re.Pattern[str]:
    """Write the request as it stands in a test: `stack.get(f"/jobs/{job_id}/log")`."""
    steps = {"<path": r"[^\"?]+", "<": r"[^/\"?]+"}
    parts = re.split("(<[^>]+>)", rule)
    path = "".join(
        next((step for sign, step in steps.items() if part.startswith(sign)), re.escape(part)) for part in parts
    )
    return re.compile(rf'\b(?:{VERBS[method]})\((?:\w+, )?\s*f?"(?:\{{\S*url\}})?{path}["?]')


def test_every_route_is_named_by_an_end_to_end_test(api: Flask) -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in END_TO_END.rglob("test_*.py"))
    routes = {(rule.rule, method) for rule in api.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}}

    untested = sorted(route for route in routes if not request_of(*route).search(tests))

    assert untested == []
