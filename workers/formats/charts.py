"""Draws a histogram as a PNG: bars, a title, and two axes with round numbers.

Only the child process that draws imports it. It uses the fonts of packages and none of the system, so the same numbers
make the same picture everywhere. Next: `fonts.py`, which draws the title.
"""

import math
import unicodedata
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from typing import Final

from PIL import Image, ImageDraw

from workers.formats.bars import Bars
from workers.formats.fonts import Line, main_font

WIDTH, HEIGHT = 1080, 810
"""Pixels: sharp when shown at half the width, and legible on a phone."""
LEFT, RIGHT, TOP, BOTTOM = 40, 40, 110, 150
"""Margins around the bars in pixels; the numbers of the vertical axis need more space on the left."""
LETTERS, TITLE = 34, 46
"""Font sizes in pixels."""
GAP = 16
"""Pixels between text and lines."""
MOST_TICKS = 6

PAPER, INK, GRID, BAR = "#ffffff", "#1f2430", "#d5d9e2", "#3b63e0"

_STEPS: Final = (1, 2, 5, 10)


def draw_histogram(bars: Bars, title: str) -> bytes:
    """Return a PNG file of the histogram."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    _Sheet(ImageDraw.Draw(image), bars).fill(title)
    file = BytesIO()
    image.quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()


class _Sheet:
    """The picture while it is drawn; `_x` and `_y` convert values and counts into pixels."""

    def __init__(self, draw: ImageDraw.ImageDraw, bars: Bars) -> None:
        self._draw, self._bars = draw, bars
        self._font = main_font(LETTERS)
        self._counts = axis_ticks(0, max(bars.counts), MOST_TICKS, whole=True)
        widest = max(self._length(text) for _, text in self._counts)
        self._left, self._right = LEFT + LETTERS + GAP + widest + GAP, WIDTH - RIGHT
        self._top, self._bottom = TOP, HEIGHT - BOTTOM

    def fill(self, title: str) -> None:
        self._count_axis()
        self._draw_bars()
        self._value_axis()
        self._labels(title)

    def _x(self, value: float) -> float:
        share = (value - self._bars.low) / (self._bars.high - self._bars.low)
        return self._left + share * (self._right - self._left)

    def _y(self, count: float) -> float:
        return self._bottom - count / max(self._bars.counts) * (self._bottom - self._top)

    def _count_axis(self) -> None:
        for count, text in self._counts:
            y = round(self._y(count))
            self._draw.line((self._left, y, self._right, y), GRID, 2)
            self._draw.text((self._left - GAP, y), text, INK, self._font, anchor="rm")

    def _draw_bars(self) -> None:
        counts = self._bars.counts
        width = (self._right - self._left) / len(counts)
        gap = 4 if width > 16 else 2 if width > 8 else 0
        for number, count in enumerate(counts):
            left, right = (round(self._left + width * edge) for edge in (number, number + 1))
            if count:
                # even the smallest count is visible
                top = min(round(self._y(count)), self._bottom - 3)
                self._draw.rectangle((left + gap // 2, top, right - 1 - gap // 2, self._bottom), BAR)

    def _value_axis(self) -> None:
        self._draw.line((self._left, self._bottom, self._right, self._bottom), INK, 3)
        for value, text in self._values():
            x, half = self._x(value), self._length(text) / 2
            self._draw.line((x, self._bottom, x, self._bottom + 10), INK, 3)
            within = min(max(x, half + 4), WIDTH - half - 4)
            self._draw.text((within, self._bottom + GAP), text, INK, self._font, anchor="mt")

    def _values(self) -> list[tuple[float, str]]:
        """Return as many round numbers as fit beside each other."""
        for most in range(MOST_TICKS, 1, -1):
            found = axis_ticks(self._bars.low, self._bars.high, most)
            places = [(self._x(value), self._length(text)) for value, text in found]
            if all(right - left > (wide + wider) / 2 + GAP for (left, wide), (right, wider) in pairwise(places)):
                return found
        return found[:1]

    def _labels(self, title: str) -> None:
        middle = (self._left + self._right) / 2
        self._draw.text((middle, HEIGHT - GAP), "value", INK, self._font, anchor="md")
        upright = Image.new("L", (self._length("count") + 8, LETTERS + 16))
        ImageDraw.Draw(upright).text((4, 4), "count", 255, self._font, anchor="lt")
        upright = upright.rotate(90, expand=True)
        self._draw.bitmap((LEFT // 2, (self._top + self._bottom - upright.height) // 2), upright, INK)
        self._title(title)

    def _title(self, title: str) -> None:
        """Draw the title as large as it fits; shorten it if even the smallest font is too wide."""
        words = unicodedata.normalize("NFC", " ".join(title.split()))
        for size in range(TITLE, LETTERS - 9, -2):
            line = Line(words, size)
            if line.length <= WIDTH - 2 * GAP:
                break
        while line.length > WIDTH - 2 * GAP:
            words = words.removesuffix("…")[:-1].rstrip() + "…"
            line = Line(words, size)
        line.draw(self._draw, (WIDTH / 2, TOP / 2), INK)

    def _length(self, text: str) -> int:
        return math.ceil(self._font.getlength(text))


def axis_ticks(low: float, high: float, most: int, *, whole: bool = False) -> list[tuple[float, str]]:
    """Return 1 to `most` round numbers from `low` to `high`, each with a text; all texts differ."""
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(step * power for step in _STEPS if step * power >= least * 0.999999)
    if whole:
        step = max(step, 1.0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [number * step for number in range(first, last + 1)] or [low]
    return [(value, text) for value, text in zip(values, _written(values, step), strict=True)]


def _written(values: Sequence[float], step: float) -> list[str]:
    """Write numbers with enough digits to tell them apart."""
    if all(value == 0 or 1e-4 <= abs(value) < 1e13 for value in values):
        places = max(0, -math.floor(math.log10(step) + 1e-9))
        return [f"{value or 0:,.{places}f}" for value in values]  # 0 instead of -0.0
    digits = math.floor(math.log10(max(map(abs, values)) / step)) + 1
    return ["0" if value == 0 else _short(f"{value:.{max(digits, 0)}e}") for value in values]


def _short(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"
