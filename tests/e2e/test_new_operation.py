"""A new operation in a real browser: after a restart of the workers alone, the documentation page has a form for it."""

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from errand.process.waiting import until
from tests.support.browser import open_form
from tests.support.processes import ROOT
from tests.support.stack import running
from tests.support.valkey import Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.timeout(120)

ECHOES = '''
"""Echoes: a text, said again and again."""

from typing import Annotated

from pydantic import Field

from schemas.operations import Example
from workers.operations.registry import operation


@operation(examples=[Example(arguments={"text": "hello", "times": 3}, result="hello hello hello")])
def echoes(
    text: Annotated[str, Field(max_length=100, description="What is said.")],
    times: Annotated[int, Field(ge=1, le=9, description="How often.")] = 2,
) -> str:
    """Say a text again and again."""
    return " ".join([text] * times)
'''
FORM = ".opblock-post [data-path='/operations/echoes']"


def test_an_operation_that_is_dropped_in_has_a_form_after_a_restart_of_the_workers_alone(
    valkey: Server, browser_page: "Page", tmp_path: Path
) -> None:
    # given workers that don't know the operation, and the page, which has no form for it
    shutil.copytree(ROOT / "workers", tmp_path / "workers", ignore=shutil.ignore_patterns("__pycache__"))
    env = {
        "REDIS_URL": valkey.fresh_url(),
        "AMQP_URI": valkey.fresh_url(),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
    }
    with running(tmp_path, env) as stack:
        until(lambda: stack.get("/operations/primes").status_code == 200, 20, "the catalogue")
        browser_page.goto(f"{stack.url}/apidocs")
        browser_page.wait_for_selector(".opblock-post [data-path='/operations/primes']")
        assert browser_page.locator(FORM).count() == 0
        browser_page.screenshot(path=tmp_path / "before.png", full_page=True)

        # when its file is dropped in and the workers are restarted
        (tmp_path / "workers" / "operations" / "echoes.py").write_text(ECHOES, encoding="utf-8")
        stack.workers.restart()
        until(lambda: stack.get("/operations/echoes").status_code == 200, 20, "the new operation")

        # then the page has a form for it, with its example and the types of its arguments
        form = open_form(browser_page, stack.url, "/operations/echoes")
        assert "Say a text again and again" in form.summary.inner_text()
        assert json.loads(form.body.input_value()) == {"arguments": {"text": "hello", "times": 3}}
        browser_page.screenshot(path=tmp_path / "form.png", full_page=True)
        types = form.schema().inner_text()
        assert "How often." in types
        assert "maximum: 9" in types
        browser_page.screenshot(path=tmp_path / "types.png", full_page=True)

        # and the form runs it
        assert form.execute().startswith("202")
        browser_page.screenshot(path=tmp_path / "sent.png", full_page=True)
        job_id = json.loads(form.answer.locator(".highlight-code code").inner_text())["id"]
        assert stack.finished(job_id)["result"] == "hello hello hello"
