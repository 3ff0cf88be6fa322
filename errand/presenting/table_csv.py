"""Writes tables as CSV that no spreadsheet runs.

Used for mails (`workers/mail/writing/attachments.py`) and for the page of a job (`api/pages/result.py`).
"""

import csv
import re
from collections.abc import Sequence
from io import StringIO

from errand.presenting.result_shape import Table, is_number

# how a cell begins that a spreadsheet runs as a formula; some spreadsheets skip blanks, or accept the wide forms too
_FORMULA = re.compile(r"[\s\ufeff]*[=+\-@＝＋－＠]|[\t\r\n]")
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def csv_of(table: Table) -> bytes:
    """Write a table as CSV (RFC 4180): commas, quotes where needed, CRLF line ends, UTF-8.

    It begins with a byte order mark, without which Excel reads UTF-8 as the machine's old character set.
    """
    file = StringIO(newline="")
    lines: list[Sequence[str]] = [table.columns, *table.rows]
    csv.writer(file, lineterminator="\r\n").writerows([_harmless(cell) for cell in line] for line in lines)
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", file.getvalue()).encode("utf-8-sig")


def _harmless(cell: str) -> str:
    """Put a quote before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if _FORMULA.match(cell) and not is_number(cell) else cell
