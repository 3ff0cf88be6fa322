"""The catalogue of operations that workers can run, each for as long as a worker publishes it.

Workers publish it again every few seconds; the API reads it.
"""

from collections.abc import Mapping

from errand.store.redis_access.store_part import StorePart, fields_of

SHOWN_SECONDS = 15.0
"""Seconds after which an operation is withdrawn unless a worker publishes it again. A worker restarts sooner."""


class CataloguePart(StorePart):
    """The part of the store that has the catalogue."""

    def catalogue(self) -> dict[str, str]:
        """Return the published operations: name to description (JSON text)."""
        return fields_of(self._run("catalogue", int(SHOWN_SECONDS * 1000)))

    def publish_catalogue(self, operations: Mapping[str, str]) -> None:
        """Publish the operations of this worker: name to description (JSON text)."""
        flat = [text for pair in operations.items() for text in pair]
        if flat:
            self._run("catalogue", int(SHOWN_SECONDS * 1000), *flat)
