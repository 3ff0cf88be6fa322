"""The legal moves: one table, and the scripts and the drawing agree with it."""

import re
from pathlib import Path

from errand.moves import LEGAL
from errand.store.redis_access.script_loader import text_of
from schemas.status import FINAL, Status

DRAWING = Path(__file__).parents[3] / "docs" / "life-of-a-job.md"


def test_every_status_has_its_row():
    assert set(LEGAL) == {None, *Status}


def test_a_succeeded_job_never_changes():
    assert not LEGAL[Status.SUCCEEDED]


def test_a_final_job_only_goes_back_to_accepted():
    for status in FINAL:
        assert LEGAL[status] <= {Status.ACCEPTED}


def test_nothing_skips_the_lease():
    reach_success = [before for before in LEGAL if Status.SUCCEEDED in LEGAL[before]]

    assert reach_success == [Status.RUNNING]


def test_the_scripts_get_exactly_this_table():
    words = re.search(r"local LEGAL = '(.*)'\n", text_of("commit"))[1]

    moves = [tuple(word.split(">")) for word in words.split()]

    assert sorted(moves) == sorted((before or "", after) for before in LEGAL for after in LEGAL[before])


def test_the_drawing_shows_exactly_this_table():
    arrows = re.findall(r"^ +(\S+) --> (\w+)", DRAWING.read_text("utf-8"), re.MULTILINE)

    drawn = {(None if before == "[*]" else Status(before), Status(after)) for before, after in arrows}

    assert drawn == {(before, after) for before in LEGAL for after in LEGAL[before]}
