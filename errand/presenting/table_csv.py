"""Writes tables as CSV that no spreadsheet runs.

Used for mails (`workers/mail/writing/attachments.py`) and for the page of a job (`api/pages/result.py`).
"""

import csv
import re
from io import StringIO
from itertools import islice
from typing import Final

from errand.presenting.result_shape import Table, is_number

CHUNK: Final = 1_000
"""Rows after which the size is looked at."""

# how a cell begins that a spreadsheet runs as a formula; some spreadsheets skip blanks, or accept the wide forms too
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def csv_of(table: Table, most: int | None = None) -> bytes | None:
    """Write a table as CSV (RFC 4180): commas, quotes where needed, CRLF line ends, UTF-8.

    It begins with a byte order mark, without which Excel reads UTF-8 as the machine's old character set. Returns None
    for more than `most` bytes.
    """
    file = StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    lines = iter([table.columns, *table.rows])
    while some := list(islice(lines, CHUNK)):
        writer.writerows([_harmless(cell) for cell in line] for line in some)
        if most is not None and file.tell() > most:
            return None
    content = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", file.getvalue()).encode("utf-8-sig")
    return content if most is None or len(content) <= most else None


def _harmless(cell: str) -> str:
    """Put a quote before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not is_number(cell) else cell
