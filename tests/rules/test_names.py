"""Lists of the same names in several places: services, and the statuses that end a job. None may drift apart."""

import re
from typing import get_args

from errand.moves import LEGAL
from errand.setting_readers import WORKERS
from schemas.notifications import Occasion
from schemas.operations import COMPUTE, WITHOUT_OPERATIONS
from schemas.status import FINAL, Status
from tests.rules.tree import PRODUCT, ROOT, name, sources, text
from workers.compute.attempt import Kind
from workers.runner import SERVICES

SCRIPTS = ROOT / "errand" / "store" / "scripts"


def test_the_services_that_run_are_those_of_the_one_list():
    assert set(SERVICES) == {COMPUTE, *WITHOUT_OPERATIONS}
    assert {program.value for program in WORKERS} == set(SERVICES)


def test_no_other_list_spells_two_services():
    pair = re.compile(r"[\"'](?:mail|webhooks|rescuer)[\"']\s*[,:][^\n]*[\"'](?:mail|webhooks|rescuer)[\"']")

    assert [name(path) for path in sources(*PRODUCT) if pair.search(text(path))] == []


def test_the_statuses_that_end_a_job_are_the_same_everywhere():
    final = {status.value for status in FINAL}
    base, finish, commit = (text(SCRIPTS / path) for path in ("shared/base.lua", "shared/finish.lua", "commit.lua"))

    assert {status.value for status, following in LEGAL.items() if status and not following & set(Status)} <= final
    assert set(re.search(r"FINAL = ' (.*) '", base)[1].split()) == final
    assert set(re.findall(r"(\w+) = ", re.search(r"NOTE_OF = \{(.*)\}", finish)[1])) == final
    assert set(re.findall(r"(\w+) = ", re.search(r"kept_for = \{(.*)\}", commit)[1])) == final
    assert set(get_args(Occasion)) == {"accepted", *final}
    assert set(get_args(Kind)) == {"handed_back", *final}
