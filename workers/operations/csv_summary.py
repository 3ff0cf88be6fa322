"""CSV summary: what is in the columns of a CSV text.

Stands at step 4 of a job's life, as an operation whose result is a table: its mail has it as a CSV file besides.
Next: `workers/formats/tables.py`, which reads the text and tells numbers from dates.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.operations import Example
from workers.formats.tables import MAX_COLUMNS, Kind, Value, kind_of, moment_of, number_of, rows_of
from workers.operations.registry import operation
from workers.operations.statistics import mean_of

MAX_TEXT: Final = 1_048_576
MAX_SHOWN: Final = 200
"""Characters of a cell that are shown."""


class Column(BaseModel):
    """One column of a CSV text."""

    column: Annotated[str, Field(description="Its name, from the first row, or `column 3`; always another one.")]
    type: Annotated[Kind, Field(description="What all its filled cells are: `integer`, `number`, `date` or `text`.")]
    count: Annotated[int, Field(description="How many cells are filled.")]
    empty: Annotated[int, Field(description="How many are empty, or missing because their row ends before them.")]
    distinct: Annotated[int, Field(description="How many different ones.")]
    minimum: Annotated[Value | None, Field(description="The smallest, the earliest, or the first of the alphabet.")]
    maximum: Annotated[Value | None, Field(description="The largest, the latest, or the last of the alphabet.")]
    mean: Annotated[int | float | None, Field(description="The mean of numbers.")]
    example: Annotated[str | None, Field(description="The first filled cell.")]


@operation(
    timeout=60,
    examples=[
        Example(
            arguments={"text": "name,age\nAda,36\nAlan,41\n"},
            result=[
                {
                    "column": "name",
                    "type": "text",
                    "count": 2,
                    "empty": 0,
                    "distinct": 2,
                    "minimum": "Ada",
                    "maximum": "Alan",
                    "mean": None,
                    "example": "Ada",
                },
                {
                    "column": "age",
                    "type": "integer",
                    "count": 2,
                    "empty": 0,
                    "distinct": 2,
                    "minimum": 36,
                    "maximum": 41,
                    "mean": 38.5,
                    "example": "36",
                },
            ],
        )
    ],
)
def csv_summary(
    text: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_TEXT,
            description="CSV text, up to 1 MiB.",
            examples=["name,age\nAda,36\nAlan,41\n"],
        ),
    ],
    delimiter: Annotated[
        Literal[",", ";", "\t", "|"] | None, Field(description="What stands between cells; null: found out.")
    ] = None,
    header: Annotated[bool, Field(description="Whether the first row has the names of the columns.")] = True,
) -> list[Column]:
    """Summarise the columns of a CSV text: types, empty cells, smallest, largest, mean.

    Cells may be quoted, and a quoted one may hold delimiters, line ends and doubled quotes; spaces around a cell don't
    count. Empty rows are skipped. Where a row is too short, what is missing counts as empty; where it is too long, the
    cells too many make columns of their own. A second column of the same name is told apart as `name (2)`.
    """
    rows = rows_of(text, delimiter)
    names, data = (rows[0], rows[1:]) if header else ([], rows)
    width = max(len(names), max(map(len, data), default=0))
    if width > MAX_COLUMNS:
        raise ValueError(f"The text has {width} columns; at most {MAX_COLUMNS} are summarised.")
    filled: list[list[str]] = [[] for _ in range(width)]
    for row in data:
        for cells, cell in zip(filled, row, strict=False):
            if stripped := cell.strip():
                cells.append(stripped)
    return [_summary(name, cells, len(data)) for name, cells in zip(names_of(names, width), filled, strict=True)]


def names_of(written: list[str], width: int) -> list[str]:
    """Name `width` columns, each by another name."""
    names: dict[str, None] = {}
    for number in range(1, width + 1):
        wanted = written[number - 1].strip()[:MAX_SHOWN] if number <= len(written) else ""
        name, again = wanted or f"column {number}", 2
        while name in names:
            name, again = f"{wanted or f'column {number}'} ({again})", again + 1
        names[name] = None
    return list(names)


def _summary(name: str, cells: list[str], rows: int) -> Column:
    kind = kind_of(cells)
    numbers = [number_of(cell) for cell in cells] if kind in ("integer", "number") else []
    values: Sequence[Value] = numbers or cells
    texts = sorted(cells, key=moment_of) if kind == "date" else sorted(cells)
    in_order: Sequence[Value] = sorted(numbers) or texts
    return Column(
        column=name,
        type=kind,
        count=len(cells),
        empty=rows - len(cells),
        distinct=len(set(values)),
        minimum=_shown(in_order[0]) if cells else None,
        maximum=_shown(in_order[-1]) if cells else None,
        mean=mean_of(numbers) if numbers else None,
        example=cells[0][:MAX_SHOWN] if cells else None,
    )


def _shown(value: Value) -> Value:
    return value[:MAX_SHOWN] if isinstance(value, str) else value
