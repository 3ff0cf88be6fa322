"""The colours of pages and mails, light and dark: one table, and one colour for each status.

The templates of mails take them from here; `python -m errand.presenting.colours` writes `api/static/colours.css`, from
which the pages take them. All texts have a contrast of at least 4.5 to 1 with their ground (WCAG 2.2, AA).
"""

import sys
from typing import Final, NamedTuple

from schemas.status import Status


class Pair(NamedTuple):
    """A colour in light and in dark mode."""

    light: str
    dark: str


class Tones(NamedTuple):
    """The colours of a status: the ground and the text of its box, and the line at its edge."""

    ground: Pair
    text: Pair
    line: Pair


COLOURS: Final = {
    "ground": Pair("#f3f4f6", "#12141a"),
    "card": Pair("#ffffff", "#1b1e26"),
    "edge": Pair("#dfe2e8", "#313642"),
    "rule": Pair("#8a93a6", "#6d7689"),
    "text": Pair("#1f2430", "#e6e8ee"),
    "faint": Pair("#5b6372", "#a4acbc"),
    "link": Pair("#1d4ed8", "#93b4ff"),
    "button": Pair("#1d4ed8", "#3b63e0"),
    "on-button": Pair("#ffffff", "#ffffff"),
    "value": Pair("#eef2ff", "#232a3f"),
    "on-value": Pair("#1e2a5a", "#dbe4ff"),
    "track": Pair("#dfe2e8", "#39404e"),
    "shade": Pair("#c3c9d4", "#05060a"),
}
"""Colours by their use; `on-…` is text on that ground."""

STATUS_COLOURS: Final = {
    Status.SCHEDULED: Tones(Pair("#f4effe", "#2b2340"), Pair("#4f2a93", "#d6c6ff"), Pair("#7c4fd0", "#a98bef")),
    Status.ACCEPTED: Tones(Pair("#e9f2fb", "#1c2c3d"), Pair("#194a77", "#bcdcf7"), Pair("#3f82bd", "#6fa9da")),
    Status.RUNNING: Tones(Pair("#e6edff", "#1f2b4d"), Pair("#1d3fa8", "#c3d3ff"), Pair("#3b63e0", "#7d9bff")),
    Status.RETRYING: Tones(Pair("#fff4dd", "#382c14"), Pair("#744700", "#ffd98f"), Pair("#c77d0a", "#e0a23c")),
    Status.SUCCEEDED: Tones(Pair("#e5f6ec", "#17301f"), Pair("#0f5730", "#abe5c0"), Pair("#1f9254", "#4cb97d")),
    Status.FAILED: Tones(Pair("#fef1f0", "#3a1f20"), Pair("#8c1d18", "#ffc9c4"), Pair("#d13a32", "#ee7a72")),
    Status.CANCELLED: Tones(Pair("#eff0f3", "#2a2e37"), Pair("#474e5c", "#ccd1db"), Pair("#7d8595", "#8f97a7")),
}
"""The colours of each status, wherever it is shown."""


def style_sheet() -> str:
    """Write the colours as custom properties and one rule for each status."""
    light, dark = (
        "".join(f"  --{name}: {colour};\n" for name, colour in _properties(dark=dark).items()) for dark in (False, True)
    )
    rules = "".join(
        f".status-{status} {{ background: var(--{status}-ground); color: var(--{status}-text);"
        f" border-color: var(--{status}-line); }}\n"
        for status in STATUS_COLOURS
    )
    return (
        "/* Written by `python -m errand.presenting.colours`; change the colours there. */\n"
        f":root {{\n  color-scheme: light dark;\n{light}}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{\n{dark}}} }}\n{rules}"
    )


def _properties(*, dark: bool) -> dict[str, str]:
    pairs = COLOURS | {
        f"{status}-{use}": pair for status, tones in STATUS_COLOURS.items() for use, pair in tones._asdict().items()
    }
    return {name: pair.dark if dark else pair.light for name, pair in pairs.items()}


if __name__ == "__main__":
    sys.stdout.write(style_sheet())
