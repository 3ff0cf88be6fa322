"""CSV summary: describes each column of a CSV text.

Its result is a table, which the mail attaches as a CSV file. Next: `workers/formats/tables.py`, which reads the text.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from schemas.operations import Example
from workers.formats.columns import Kind, Reading, readings_of
from workers.formats.dates import DateOrder, moment_of
from workers.formats.numbers import Mark
from workers.formats.tables import MAX_COLUMNS, CsvRefused, rows_of
from workers.operations.registry import operation
from workers.operations.statistics import mean_of

MAX_TEXT: Final = 1_048_576
MAX_SHOWN: Final = 200
"""Maximum characters shown of a cell."""


_DELIMITER_NAMES: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}

Value = int | float | str


class Column(BaseModel):
    """One column of a CSV text."""

    column: Annotated[str, Field(description="The column's name, from the first row, or `column 3`; always unique.")]
    type: Annotated[Kind, Field(description="The type of its filled cells: `integer`, `number`, `date` or `text`.")]
    count: Annotated[int, Field(description="Number of filled cells.")]
    empty: Annotated[
        int, Field(description="Number of cells that are empty, or missing because their row is too short.")
    ]
    distinct: Annotated[int, Field(description="Number of different values.")]
    minimum: Annotated[Value | None, Field(description="The smallest, the earliest or the alphabetically first value.")]
    maximum: Annotated[Value | None, Field(description="The largest, the latest or the alphabetically last value.")]
    mean: Annotated[int | float | None, Field(description="The mean, for numbers.")]
    example: Annotated[str | None, Field(description="The first filled cell.")]
    delimiter: Annotated[
        str | None,
        Field(
            description="What separated the cells, the same for all columns: `comma`, `semicolon`, `tab`, `pipe`, or "
            "the character that a first line such as `sep=^` names; null if each row is one cell."
        ),
    ]
    decimal_mark: Annotated[
        Literal["point", "comma"] | None,
        Field(description="How its numbers were read: `comma` if 1,5 is one and a half; null for other types."),
    ]
    thousands_mark: Annotated[
        Mark | None, Field(description="What separated the thousands of its numbers; null if nothing did.")
    ]
    date_order: Annotated[
        DateOrder | None, Field(description="The order in which its dates were read; null for other types.")
    ]


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
                    "delimiter": "comma",
                    "decimal_mark": None,
                    "thousands_mark": None,
                    "date_order": None,
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
                    "delimiter": "comma",
                    "decimal_mark": None,
                    "thousands_mark": None,
                    "date_order": None,
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
        Literal[",", ";", "\t", "|"] | None,
        Field(description="The character between cells; null: as a first line `sep=;` says, or else detect it."),
    ] = None,
    header: Annotated[bool, Field(description="Whether the first row contains the names of the columns.")] = True,
) -> list[Column]:
    """Summarise the columns of a CSV text: type, empty cells, smallest, largest, mean.

    Cells may be quoted; a quoted cell may contain delimiters, line breaks and doubled quotes. Spaces around a cell are
    ignored, and empty rows are skipped. Missing cells of a short row count as empty; extra cells of a long row become
    columns of their own. A second column of the same name becomes `name (2)`.

    Numbers may have a decimal comma and separated thousands, and dates may be written as in Europe, in America, by
    Excel or by pandas. Where that is ambiguous, the other columns decide; the result says how each column was read.
    """
    table = rows_of(text, delimiter, header=header)
    rows = table.rows
    names, data = (rows[0], rows[1:]) if header else ([], rows)
    width = max(len(names), max(map(len, data), default=0))
    if width > MAX_COLUMNS:
        raise CsvRefused(f"The text has {width} columns; at most {MAX_COLUMNS} can be summarised.")
    filled: list[list[str]] = [[] for _ in range(width)]
    for row in data:
        for cells, cell in zip(filled, row, strict=False):
            if stripped := cell.strip():
                cells.append(stripped)
    between = None if table.delimiter is None else _DELIMITER_NAMES.get(table.delimiter, table.delimiter)
    readings = readings_of(
        filled, comma_is_free=table.delimiter == ";" or (table.delimiter is None and '"' not in text)
    )
    return [
        _summary(name, cells, len(data), reading, between)
        for name, cells, reading in zip(names_of(names, width), filled, readings, strict=True)
    ]


def names_of(written: list[str], width: int) -> list[str]:
    """Return a different name for each of `width` columns."""
    names: dict[str, None] = {}
    for number in range(1, width + 1):
        wanted = written[number - 1].strip()[:MAX_SHOWN] if number <= len(written) else ""
        name, again = wanted or f"column {number}", 2
        while name in names:
            name, again = f"{wanted or f'column {number}'} ({again})", again + 1
        names[name] = None
    return list(names)


def _summary(name: str, cells: list[str], rows: int, reading: Reading, delimiter: str | None) -> Column:
    numbers = list(map(reading.notation.value, cells)) if reading.notation else []
    values: Sequence[Value] = numbers or cells
    in_order: Sequence[Value] = sorted(numbers) or _sorted(cells, reading.order)
    return Column(
        column=name,
        type=reading.kind,
        count=len(cells),
        empty=rows - len(cells),
        distinct=len(set(values)),
        minimum=_shown(in_order[0]) if cells else None,
        maximum=_shown(in_order[-1]) if cells else None,
        mean=mean_of(numbers) if numbers else None,
        example=cells[0][:MAX_SHOWN] if cells else None,
        delimiter=delimiter,
        decimal_mark=reading.notation.decimal if reading.notation and reading.kind == "number" else None,
        thousands_mark=reading.notation.thousands if reading.notation else None,
        date_order=reading.order,
    )


def _sorted(cells: list[str], order: DateOrder | None) -> list[str]:
    return sorted(cells, key=lambda cell: moment_of(cell, order)) if order else sorted(cells)


def _shown(value: Value) -> Value:
    return value[:MAX_SHOWN] if isinstance(value, str) else value
