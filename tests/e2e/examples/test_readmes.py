"""README.md and those of `examples/`, followed step by step on `make run`: on its own servers, and on RabbitMQ."""

import doctest
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from tests.support.browser import open_form
from tests.support.ports import LOCALHOST, free_port
from tests.support.processes import ROOT, Running
from tests.support.readme import Reader, Step, reader, steps_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

READMES = sorted((ROOT / "examples").glob("*/README.md"))
MOST_LINES = 80


@pytest.fixture(scope="module", params=["embedded", "rabbitmq"])
def make_run(request, tmp_path_factory) -> Iterator[tuple[str, Path, Running]]:
    """What `make run` starts, with all examples: its address, its data, and itself."""
    folder = tmp_path_factory.mktemp(request.param)
    env = {"PORT": str(free_port()), "WEB_SERVER_ADDRESS": f"{LOCALHOST}:{free_port()}"}
    if request.param == "rabbitmq":
        env["AMQP_URI"] = request.getfixturevalue("rabbitmq").fresh_uri()
    data = folder / "data"
    command = [sys.executable, "-m", "errand.embedded.run", "--data", str(data)]
    run = Running("make run", command, folder / "run.log", env=env, starts_in=90, cwd=folder)
    run.ready = lambda: "errand: ready" in run.output()
    try:
        run.start()
        yield f"http://{LOCALHOST}:{env['PORT']}", data, run
    finally:
        run.stop()


@pytest.fixture
def follower(make_run: tuple[str, Path, Running], tmp_path: Path) -> Iterator[Reader]:
    url, data, run = make_run
    with reader(url, data, run, tmp_path / "terminal") as follower:
        yield follower


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.parent.name)
def test_every_command_prints_what_its_readme_says(follower: Reader, readme: Path) -> None:
    steps = steps_of(readme)

    assert steps[0].command == "make run"
    for step in steps:
        follower.follow(step)


def test_the_blocks_of_the_readme_can_be_pasted_one_after_the_other(follower: Reader) -> None:
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    pasted = [
        (block, text.replace("…", "...") if language == "json" else "")
        for (kind, block), (language, text) in pairwise([*blocks, ("", "")])
        if kind == "sh"
    ]

    assert pasted.pop(0)[0] == "make run\n", "the one that is running"
    assert pasted.pop()[0] == "make test\n", "what is being done"
    assert len(pasted) >= 4
    for block, expected in pasted:
        follower.paste(block.rstrip("\n"), expected.rstrip("\n"))


def test_the_readme_of_python_is_what_the_shell_prints(follower: Reader) -> None:
    (typed,) = re.findall(r"^```pycon\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)

    follower.follow(Step("make shell", typed=doctest.DocTestParser().get_examples(typed.replace("…", "..."))))


@pytest.mark.parametrize("page", ["README.md"])
def test_a_block_to_paste_has_no_prompt_and_no_comment(page: str) -> None:
    blocks = re.findall(r"^```(?:sh|console)\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)

    assert blocks
    for block in blocks:  # the shell of macOS takes a comment for arguments
        assert not re.search(r"^\$ | #|…", block, re.MULTILINE), block


@pytest.mark.parametrize("readme", READMES, ids=lambda readme: readme.parent.name)
def test_an_example_is_in_swagger_ui_under_a_tag_of_its_own(make_run, readme: Path) -> None:
    if not (readme.parent / "routes.py").exists():
        pytest.skip("it has no routes")
    document = requests.get(f"{make_run[0]}/apispec.json?examples=true", timeout=10).json()

    tag = f"examples.{readme.parent.name}"

    assert tag in [each["name"] for each in document["tags"]]
    assert [
        path for path, operations in document["paths"].items() for each in operations.values() if tag in each["tags"]
    ]


FORMS = {
    "accounts": ("/accounts", "post"),
    "events": ("/events", "post"),
    "greeting": ("/konnichiwa", "get"),
    "http": ("/get/{value}", "get"),
    "timer": ("/ticks", "get"),
    "travel": ("/airport", "post"),
}
"""A form of an example that can be sent as it is shown."""


def test_try_it_out_in_swagger_ui_works(make_run, browser_page: "Page") -> None:
    for name, (path, method) in FORMS.items():
        form = open_form(browser_page, make_run[0], path, method, examples=True)

        assert form.execute().startswith("20"), name
        assert browser_page.get_by_text(f"examples.{name}", exact=True).is_visible()


@pytest.mark.parametrize("folder", [readme.parent for readme in READMES], ids=lambda folder: folder.name)
def test_an_example_is_short_and_begins_with_three_lines_of_what_it_teaches(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]

    assert {path.name for path in files} & {"service.py", "routes.py"}
    for path in files:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES, path.name
    title, nothing, *teaching = (folder / "README.md").read_text(encoding="utf-8").splitlines()[:6]
    assert title.startswith("# ")
    assert nothing == ""
    assert all(teaching[:3]), "three lines of what it teaches"
    assert teaching[3] == ""


def test_every_example_has_a_readme() -> None:
    folders = {path.parent for path in (ROOT / "examples").glob("*/*.py")}

    assert folders == {readme.parent for readme in READMES} != set()
