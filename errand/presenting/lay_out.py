"""Lays a result out: decides how much of it is shown, so that it takes about so many bytes of HTML.

Used for mails (`workers/mail/writing/result_words.py`) and for the page of a job (`api/pages/result.py`). Members share
the room: small ones are shown whole, and what they leave goes to the larger ones. Next: `layout.py`, the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from errand.presenting import safe_text
from errand.presenting.json_layout import beginning_of
from errand.presenting.layout import Grid, Json, Listing, Members, Node, Plain
from errand.presenting.result_shape import Table, Tree, is_number, table_from
from errand.presenting.room import MARKUP, cost_of, shares
from errand.presenting.safe_text import Number, columns_of, one_line

LEAST: Final = 2 * MARKUP
"""Bytes of HTML that a member or an item needs at least."""
MAX_NAME: Final = 80
"""Maximum characters of the name of a member."""
SHORT: Final = 40
"""Maximum characters of an item that goes on one line with others."""
WRAPPED: Final = 26
"""Characters after which a text in a column is wrapped."""
NO_NAME: Final = "(no name)"
"""Stands for a name without a visible character."""
NONE: Final = Plain("none", "word")
EMPTY: Final = Plain("(empty text)", "word")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown: bytes of HTML altogether, and maximum numbers of each part.

    A table of more than `rows` rows is shown in its first `rows_in_part`, with at most `cells` cells. `cell` and `text`
    are in characters; `markup` is the bytes of HTML around a cell.
    """

    budget: int
    rows: int
    rows_in_part: int
    columns: int
    cell: int
    cells: int = 10_000
    text: int = 2_000
    items: int = 50
    values: int = 500
    members: int = 50
    depth: int = 6
    markup: int = MARKUP


def lay_out(shape: Table | Tree, limits: Limits) -> Node:
    """Lay a result out."""
    if isinstance(shape, Table):
        return _grid(shape, limits, limits.budget)
    return _node(shape.value, limits, limits.budget, 0)


def _node(value: Any, limits: Limits, room: int, depth: int) -> Node:
    if value is None or value in ({}, []):
        return NONE
    if isinstance(value, list):
        return _list(value, limits, room, depth)
    if isinstance(value, dict):
        return _json(value, limits, room) if depth >= limits.depth else _members(value, limits, room, depth)
    return _plain(value, limits, room)


def _plain(value: Any, limits: Limits, room: int) -> Plain:
    if isinstance(value, bool):
        return Plain("true" if value else "false", "word")
    if not value:
        return EMPTY
    whole, most = str(value), max(room, LEAST)
    text = safe_text.clean(whole[: limits.text])
    is_cut = len(whole) > limits.text
    while (cost := cost_of(text)) > most:
        text, is_cut = text[: len(text) * most // cost], True
    return Plain(text, "number" if isinstance(value, Number) else "text", len(whole) if is_cut else None)


def _members(value: dict[str, Any], limits: Limits, room: int, depth: int) -> Members:
    names = list(value)
    kept = names[: max(1, min(limits.members, room // LEAST))]
    spent = sum(cost_of(one_line(name, MAX_NAME)) + MARKUP for name in kept)
    rooms = shares([value[name] for name in kept], room - spent)
    nodes = [
        (one_line(name, MAX_NAME) or NO_NAME, _node(value[name], limits, share, depth + 1))
        for name, share in zip(kept, rooms, strict=True)
    ]
    return Members(tuple(nodes), _names(names[len(kept) :]))


def _list(value: list[Any], limits: Limits, room: int, depth: int) -> Node:
    plain = not any(isinstance(item, dict | list) for item in islice(value, limits.values))
    if plain and all(_is_short(item) for item in islice(value, limits.values)):
        return _flat(value, limits, room)
    if not plain and (table := table_from(value)):
        return _grid(table, limits, room)
    if not plain and depth >= limits.depth:
        return _json(value, limits, room)
    kept = value[: max(1, min(limits.items, room // LEAST))]
    rooms = shares(kept, room - len(kept) * MARKUP)
    items = (_node(item, limits, share, depth + 1) for item, share in zip(kept, rooms, strict=True))
    return Listing(tuple(items), len(value))


def _flat(value: list[Any], limits: Limits, room: int) -> Listing:
    kept: list[Plain] = []
    for item in islice(value, limits.values):
        node = NONE if item is None else _plain(item, limits, LEAST)
        room -= cost_of(node.text) + 2
        if kept and room < 0:
            break
        kept.append(node)
    return Listing(tuple(kept), len(value), flat=True)


def _is_short(item: Any) -> bool:
    return not isinstance(item, str) or (len(item) <= SHORT and item.isprintable())


def _grid(table: Table, limits: Limits, room: int) -> Grid:
    columns = table.columns[: max(1, min(limits.columns, room // (2 * LEAST)))]
    most = min(limits.cell, max(WRAPPED, room // (4 * len(columns))))
    seen = tuple(one_line(name, most) for name in columns)
    names = tuple(name or NO_NAME for name in seen)
    room -= sum(cost_of(name) + limits.markup for name in names)
    rows: list[tuple[str, ...]] = []
    most_rows = limits.rows if len(table.rows) <= limits.rows else limits.rows_in_part
    for row in table.rows[: max(1, min(most_rows, limits.cells // len(columns)))]:
        cells = tuple(one_line(cell, most) for cell in row[: len(columns)])
        room -= sum(cost_of(cell) + limits.markup for cell in cells)
        if rows and room < 0:
            break
        rows.append(cells)
    cut = seen != columns or any(
        cells != row[: len(columns)] for cells, row in zip(rows, table.rows[: len(rows)], strict=True)
    )
    lines = list(zip(names, *rows, strict=True))
    return Grid(
        names,
        tuple(rows),
        tuple(all(is_number(cell) for cell in column[1:] if cell) for column in lines),
        len(table.rows),
        sum(min(max(map(columns_of, column)), WRAPPED) + 2 for column in lines),
        _names(table.columns[len(columns) :]),
        most if cut else None,
    )


def _json(value: Any, limits: Limits, room: int) -> Json:
    most = max(SHORT, min(limits.text, room // 2))
    text = beginning_of(value, most + 1)
    return Json(safe_text.clean(text[:most]), cut=len(text) > most)


def _names(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(name, MAX_NAME) or "(no name)" for name in names)
