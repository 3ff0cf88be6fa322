"""The catalogue: what the workers can compute, as long as one of them shows it.

Stands before step 1 of a job's life: workers show it again every few seconds, the API reads it.
"""

from collections.abc import Mapping

from errand.store.base import StorePart, fields_of

SHOWN_SECONDS = 15.0
"""After how long an operation that no worker has shown again is withdrawn. A worker that is restarted takes less."""


class CataloguePart(StorePart):
    """The catalogue's side of the store."""

    def catalogue(self) -> dict[str, str]:
        """Give what can be computed: operation name to its description (JSON text)."""
        return fields_of(self._run("catalogue", int(SHOWN_SECONDS * 1000)))

    def publish_catalogue(self, operations: Mapping[str, str]) -> None:
        """Show what this worker can compute: operation name to its description (JSON text)."""
        flat = [text for pair in operations.items() for text in pair]
        if flat:
            self._run("catalogue", int(SHOWN_SECONDS * 1000), *flat)
