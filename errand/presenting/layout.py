"""The model of a result on display: what of it is shown, and what is missing.

`lay_out.py` makes it. The HTML part of a mail (`workers/mail/templates/parts.html`), its text part
(`workers/mail/writing/layout_text.py`) and the page of a job (`api/templates/result.html`) show it, each in its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

MAX_NAMES: Final = 160
"""Maximum characters of the names of what is left out."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain value: a text, which may have lines, a number as it was written, or a word (`true`, `false`, `none`).

    `size` counts the characters of the whole text if only its beginning is shown.
    """

    form: ClassVar[str] = "plain"
    text: str
    kind: Literal["text", "number", "word"]
    size: int | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Sentences without a full stop that say what is not shown."""
        return () if self.size is None else (f"The first {len(self.text):,} of {self.size:,} characters",)

    @property
    def whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.missing

    @property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")


@dataclass(frozen=True, slots=True)
class Members:
    """An object: the names of its members and what they hold, and the names of members that are left out."""

    form: ClassVar[str] = "members"
    members: "tuple[tuple[str, Node], ...]"
    left_out: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """As above."""
        return _more(self.left_out, "member")

    @property
    def whole(self) -> bool:
        """As above, in the members too."""
        return not self.left_out and all(node.whole for _, node in self.members)

    @property
    def flat(self) -> bool:
        """Whether each member has a plain value on one line."""
        return all(isinstance(node, Plain) and "\n" not in node.text for _, node in self.members)


@dataclass(frozen=True, slots=True)
class Listing:
    """A list that is no table; the items of a `flat` one are so short that they go on one line."""

    form: ClassVar[str] = "listing"
    items: "tuple[Node, ...]"
    size: int
    flat: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """As above."""
        return (f"{len(self.items):,} of {self.size:,} items",) if len(self.items) < self.size else ()

    @property
    def whole(self) -> bool:
        """As above, in the items too."""
        return not self.missing and all(item.whole for item in self.items)

    @property
    def line(self) -> str:
        """The items of a flat list, on one line."""
        return ", ".join(item.text for item in self.items if isinstance(item, Plain))


@dataclass(frozen=True, slots=True)
class Grid:
    """A table, or its first rows and columns. `numeric`: which columns hold only numbers.

    `size` counts all rows, `left_out` names the columns that aren't shown. `cell` is the maximum characters of a cell,
    if one was cut. `width` is how many characters wide the table is, if its longer texts are wrapped.
    """

    form: ClassVar[str] = "grid"
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    size: int
    width: int
    left_out: tuple[str, ...] = ()
    cell: int | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """As above."""
        rows = (f"{len(self.rows):,} of {self.size:,} rows",) if len(self.rows) < self.size else ()
        return (*rows, *self.missing_columns)

    @property
    def missing_columns(self) -> tuple[str, ...]:
        """What is missing of the rows that are shown."""
        cells = (f"Long cells end after {self.cell} characters",) if self.cell else ()
        return (*_more(self.left_out, "column"), *cells)

    @property
    def whole(self) -> bool:
        """As above."""
        return not self.missing


@dataclass(frozen=True, slots=True)
class Json:
    """Members or items that are nested too deep for a layout, as JSON, or its beginning."""

    form: ClassVar[str] = "json"
    text: str
    cut: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """As above; it also says why this is JSON."""
        return ("Nested too deep to be laid out: the beginning of its JSON" if self.cut else "Nested deep: its JSON",)

    @property
    def whole(self) -> bool:
        """As above."""
        return not self.cut


Node = Plain | Members | Listing | Grid | Json


def _more(names: Sequence[str], what: str) -> tuple[str, ...]:
    """Say what is left out: `3 more columns: a, b, c`."""
    if not names:
        return ()
    kept: list[str] = []
    for name in names:
        if kept and sum(map(len, kept)) + 2 * len(kept) + len(name) > MAX_NAMES:
            break
        kept.append(name)
    others = f" and {len(names) - len(kept):,} others" if len(kept) < len(names) else ""
    return (f"{len(names):,} more {what}{'' if len(names) == 1 else 's'}: {', '.join(kept)}{others}",)
