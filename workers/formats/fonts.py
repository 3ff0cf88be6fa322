"""Draws one line of text in any script, with the Noto fonts of two packages and none of the system.

Each character is drawn by the first font that has it; docs/decisions/0025-fonts-for-pictures.md says why these fonts.
`charts.py` draws titles with it.
"""

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Final

import manimgx_fonts
import manimgx_fonts_cjk
from fontTools.ttLib import TTFont
from PIL import ImageDraw, ImageFont

_FOLDER: Final = Path(manimgx_fonts.__path__[0])
_MAIN: Final = _FOLDER / "NotoSans[wght].ttf"
_CJK: Final = Path(manimgx_fonts_cjk.__path__[0]) / "NotoSansCJK-VF.otf.ttc"
_LAST: Final = [_FOLDER / "NotoSansSymbols[wght].ttf", _CJK, _FOLDER / "NotoEmoji[wght].ttf"]


class Line:
    """A line of text at a size in pixels."""

    def __init__(self, text: str, size: int) -> None:
        """Choose the fonts for each part of `text`, which has no control characters."""
        self._runs = [(part, font_of(path, size)) for path, part in _runs(text)]
        self.length = sum(font.getlength(part) for part, font in self._runs)
        """The line's length in pixels."""

    def draw(self, on: ImageDraw.ImageDraw, middle: tuple[float, float], ink: str) -> None:
        """Draw the line with its centre at `middle`."""
        x, y = middle
        main = font_of(_MAIN, round(self._runs[0][1].size)) if self._runs else None
        ascent, descent = main.getmetrics() if main else (0, 0)
        x, baseline = x - self.length / 2, y + (ascent - descent) / 2
        for part, font in self._runs:
            on.text((x, baseline), part, ink, font, anchor="ls")
            x += font.getlength(part)


def main_font(size: int) -> ImageFont.FreeTypeFont:
    """Return the font for Latin, Greek and Cyrillic letters, digits and the usual signs."""
    return font_of(_MAIN, size)


@cache
def font_of(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of regular weight."""
    font = ImageFont.truetype(str(path), size)
    font.set_variation_by_name("Regular")  # the default of Noto Sans CJK is thin
    return font


def _runs(text: str) -> list[tuple[Path, str]]:
    """Cut a text into parts of one font each, in the order in which they stand from left to right."""
    chosen: list[tuple[Path, str]] = []
    path = _MAIN
    for character in text:
        # marks and joiners belong to the letter before them
        if not (unicodedata.combining(character) or unicodedata.category(character) in ("Mc", "Me", "Mn", "Cf")):
            path = path if _continues(path, character) else _path_of(character)
        chosen.append((path, character))
    runs = [(path, "".join(each for _, each in part)) for path, part in groupby(chosen, key=lambda pair: pair[0])]
    return runs[::-1] if _is_right_to_left(text) else runs


def _continues(path: Path, character: str) -> bool:
    """Return whether a blank or a sign stays in the font of the letter before it."""
    return not character.isalnum() and ord(character) in _characters(path)


def _path_of(character: str) -> Path:
    return next((path for path in _paths() if ord(character) in _characters(path)), _MAIN)


def _is_right_to_left(text: str) -> bool:
    strong = (unicodedata.bidirectional(character) for character in text)
    return next((each for each in strong if each in ("L", "R", "AL")), "L") != "L"


def _paths() -> Iterator[Path]:
    yield _MAIN
    yield from sorted(
        path for path in _FOLDER.glob("*.ttf") if path not in (_MAIN, *_LAST) and "Italic" not in path.name
    )
    yield from _LAST


@cache
def _characters(path: Path) -> frozenset[int]:
    with TTFont(path, fontNumber=0, lazy=True) as font:
        return frozenset(font.getBestCmap())
