"""The settings, as extensions of services find them.

Stands under `dependencies.py` and the timer entrypoint.
"""

from nameko.extensions import Extension

from errand.settings import Settings


def settings_of(extension: Extension) -> Settings:
    """Give the settings the container was made with (`workers/runner.py`), or those of the environment."""
    settings: Settings = extension.container.config.get("SETTINGS") or Settings.load()
    return settings
