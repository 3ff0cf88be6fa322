"""Everything that a store holds, written so that two stores can be compared whose clocks read a little differently."""

import json
import re
import time
from typing import Any

from errand.store import Store

ROUNDED_TO = 100
"""Moments are compared to so many seconds: a test chooses times that are further apart."""
_MOMENT = re.compile(r"(?<![0-9.])1[0-9]{12}(?:[0-9]{3})?(?:\.[0-9]+)?(?![0-9])")
"""A moment in ms or µs since 1970."""
FIGURES = ("durations", "totals", "busy")
"""Keys of durations: they differ from run to run, so that only their members are compared."""


def dump(store: Store) -> dict[str, Any]:
    """Return the contents of all keys, without the prefix; moments are rounded, sorted sets are in their order.

    Members of sorted sets that have the same moment are in no order.
    """
    prefix = store.keys.prefix
    keys = sorted(store.client.scan_iter(f"{prefix}*"))
    return {key.removeprefix(prefix): _content(store, key, key.removeprefix(prefix)) for key in keys}


def _content(store: Store, key: str, name: str) -> Any:
    client = store.client
    match client.type(key):
        case "string":
            return _timeless(client.get(key))
        case "hash":
            fields = client.hgetall(key)
            hidden = name in FIGURES
            return {field: _figure(field) if hidden else _timeless(text) for field, text in sorted(fields.items())}
        case "list":
            return [_timeless(text) for text in client.lrange(key, 0, -1)]
        case "set":
            return sorted(client.smembers(key))
        case "zset":
            return _sorted_set(client.zrange(key, 0, -1, withscores=True))
        case "stream":
            return sorted(json.dumps({k: _timeless(v) for k, v in entry.items()}) for _, entry in client.xrange(key))
    raise AssertionError(f"{key}: a type that nobody has thought of")


def _figure(field: str) -> str:
    return f"<{field}>"


def _sorted_set(rows: list[tuple[str, float]]) -> list[tuple[str, str]]:
    """Places (µs, all different) keep their order; members with moments in ms may share one."""
    named = [(member, _timeless(f"{score:.0f}")) for member, score in rows]
    places = all(score > 1e15 for _, score in rows)
    return named if places else sorted(named)


def _timeless(text: str) -> str:
    """Write each moment as the seconds from now."""
    return _MOMENT.sub(lambda found: f"<{_from_now(float(found[0]))} s>", text)


def _from_now(moment: float) -> int:
    seconds = moment / (1e6 if moment > 1e15 else 1e3) - time.time()
    return ROUNDED_TO * round(seconds / ROUNDED_TO)
