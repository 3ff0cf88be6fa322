"""READMEs as their readers follow them: each command in a block of `console` must print what stands below it.

`...` in what is expected stands for anything, as in doctest. `make` targets run as the Makefile says, but with this
Python, and those that end in `&` stay until the README does. Lines with `>>>` are typed into the shell before them.
"""

import doctest
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from errand.process.waiting import NeverHappened, until
from tests.support.processes import ROOT, Running

ADDRESS, WEB_ADDRESS = "http://127.0.0.1:5000", "127.0.0.1:8000"
BLOCK = re.compile(r"^ *```console\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"make (?P<target>\w+)(?P<settings>(?: \w+=\S+)*)(?P<stays> &)?")
DONE = "--- done with status"
CHECK = doctest.OutputChecker()
WITHIN = 60

TYPE = """
import traceback
print({end!r}, flush=True)
for source in {sources!r}:
    try:
        exec(compile(source, "<README>", "single"), globals())
    except Exception as fault:
        print("".join(traceback.format_exception_only(fault)), end="")
    print({end!r}, flush=True)
"""
"""A program that acts like an interactive Python while it reads from a pipe."""


@dataclass
class Step:
    """A command, its input, and its expected output."""

    command: str
    expected: str = ""
    typed: list[doctest.Example] = field(default_factory=list)


def steps_of(readme: Path) -> list[Step]:
    """Read the steps of a README, in order."""
    blocks = [textwrap.dedent(found[1]) for found in BLOCK.finditer(readme.read_text(encoding="utf-8"))]
    return [step for block in blocks for step in _steps(block)]


def _steps(block: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        length = next(number for number, line in enumerate(lines, 1) if not line.rstrip("\n").endswith("\\"))
        command, rest = "".join(lines[:length]).strip(), "".join(lines[length:])
        typed = doctest.DocTestParser().get_examples(rest)
        yield Step(command, "" if typed else rest, typed)


class Reader:
    """Follows a README in one terminal, while Errand runs."""

    def __init__(self, url: str, data: Path, run: Running, folder: Path, stack: ExitStack) -> None:
        """`run` is the `make run` at `url`, with its `data`; what is started logs to `folder` and ends with `stack`."""
        self.url, self.data, self.run, self.folder = url, data, run, folder
        self._stack = stack
        self._terminal = subprocess.Popen(
            ["bash"],
            cwd=ROOT,
            env=run.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        stack.callback(self._close)

    def follow(self, step: Step) -> None:
        """Do a step, and compare what it prints."""
        make = MAKE.fullmatch(step.command)
        if step.command == "make run":
            printed = self.run.output()
            assert all(line in printed for line in step.expected.splitlines()), printed
        elif make and make["stays"]:
            self._start(make)
        elif make and step.typed:
            self._type(make, step)
        else:
            self._compare(step.command, step.expected, self._execute(self._own(step.command)))

    def paste(self, block: str, expected: str) -> None:
        """Paste a whole block; paste it again for a while if the job that it shows hasn't ended yet."""

        def prints_it() -> bool:
            nonlocal printed
            printed = self._execute(self._own(block))
            return not expected or CHECK.check_output(f"{expected}\n", f"{printed}\n", doctest.ELLIPSIS)

        printed = ""
        try:
            until(prints_it, 10, "what the page says")
        except NeverHappened:
            self._compare(block, expected, printed)

    def _execute(self, command: str) -> str:
        assert self._terminal.stdin
        assert self._terminal.stdout
        self._terminal.stdin.write(f"{command}\nprintf '\\n{DONE} %d\\n' $?\n")
        self._terminal.stdin.flush()
        printed = ""
        for line in self._terminal.stdout:
            if line.startswith(DONE):
                assert line == f"{DONE} 0\n", f"{command}\nends with{line.removeprefix(DONE)}and prints:\n{printed}"
                return printed.removesuffix("\n")
            printed += line
        raise AssertionError(f"{command}\nends the terminal, and prints:\n{printed}")

    def _start(self, make: re.Match[str]) -> None:
        log = self.folder / f"{len(list(self.folder.iterdir()))}.log"
        started = Running(make[0], ["bash", "-c", self._recipe(make)], log, env=self.run.env)
        started.ready = lambda: "action=started" in started.output()
        self._stack.callback(started.kill9)
        started.start()

    def _type(self, make: re.Match[str], step: Step) -> None:
        program = TYPE.format(sources=[each.source for each in step.typed], end=DONE)
        done = subprocess.run(
            ["bash", "-c", self._recipe(make)],
            cwd=ROOT,
            env=self.run.env,
            input=f"exec({program!r})\n",  # on one line, as it is typed
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
        _, *answers = done.stdout.split(f"{DONE}\n")
        assert len(answers) == len(step.typed) + 1, done.stdout + done.stderr
        for example, answer in zip(step.typed, answers, strict=False):
            self._compare(example.source.strip(), example.want, answer)

    def _compare(self, command: str, expected: str, printed: str) -> None:
        want = expected.replace(ADDRESS, self.url)
        want, got = want.rstrip("\n") + "\n", printed.rstrip("\n") + "\n"
        assert CHECK.check_output(want, got, doctest.ELLIPSIS), f"{command}\nprints:\n{got}\nand not:\n{want}"

    def _own(self, command: str) -> str:
        here = command.replace(ADDRESS, self.url).replace(
            WEB_ADDRESS, self.run.env.get("WEB_SERVER_ADDRESS", WEB_ADDRESS)
        )
        return here.replace(".venv/bin/python -m", "python -m").replace("python -m", f"{sys.executable} -m")

    def _recipe(self, make: re.Match[str]) -> str:
        """Return what the target runs, last of all; what it may have to install first is there."""
        asked = ["make", "--dry-run", make["target"], *make["settings"].split()]
        told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        recipe = told.splitlines()[-1].replace(".venv/bin/python", sys.executable)
        return recipe.replace(".errand/", f"{self.data}/")

    def _close(self) -> None:
        self._terminal.kill()
        self._terminal.communicate()


@contextmanager
def reader(url: str, data: Path, run: Running, folder: Path) -> Iterator[Reader]:
    """Return a reader whose terminal, and all that is started in it, ends with the `with`."""
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        yield Reader(url, data, run, folder, stack)
