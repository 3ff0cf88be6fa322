"""The templates of mails: an operator's own come before the package's, file by file.

Used by `letter.py`. An operator's templates are tested at the start (`sample_notices.py`). If one fails later, on a job
that no sample resembles, the mail is written with the package's own templates.
"""

import logging
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2

from errand.errors import SettingsRefused
from errand.presenting import safe_text
from errand.presenting.colours import COLOURS, STATUS_COLOURS
from errand.presenting.times import in_words
from schemas.notifications import NoticeKind
from workers.mail.writing.text_layout import wrapped

log = logging.getLogger(__name__)

OWN: Final = Path(__file__).parents[1] / "templates"
"""The package's templates: `<kind>.subject.txt`, `<kind>.txt` and `<kind>.html`, and the files they share."""
PREFIX: Final = "errand"
"""By this prefix an operator's template names the package's own: `{% extends "errand/result.html" %}`."""

MAX_SUBJECT: Final = 200
"""Maximum characters of a subject."""


@dataclass(frozen=True, slots=True)
class RenderedTemplate:
    """The filled templates of one mail. The subject is one line."""

    subject: str
    text: str
    html: str


class TemplateSet:
    """The templates of all kinds of mail: an operator's where there are some, else the package's."""

    def __init__(self, folder: str = "") -> None:
        """Read the templates in `folder`; raise SettingsRefused if they can't be read."""
        self._folder = Path(folder).absolute()
        self._texts = _texts_in(self._folder) if folder else {}
        self._own = _environment(OWN)
        self._operators = _environment(self._folder, OWN) if folder else None

    def render(self, kind: NoticeKind, variables: Mapping[str, Any]) -> RenderedTemplate:
        """Fill the templates of this kind. Where an operator's template fails, use the package's own."""
        if self._operators:
            try:
                return _render(self._operators, kind, variables)
            except Exception as error:  # noqa: BLE001 -- a template can raise anything, and somebody waits for the mail
                fields = {"action": "mail_template_failed", "job_id": variables.get("id", "")}
                log.warning("%s; the mail is written without it", self._explain(kind, error), extra=fields)
        return _render(self._own, kind, variables)

    def check(self, kind: NoticeKind, variables: Mapping[str, Any]) -> None:
        """Fill the templates as a test; raise SettingsRefused with file, line and reason if one fails."""
        try:
            rendered = _render(self._operators or self._own, kind, variables)
        except Exception as error:
            raise SettingsRefused(f"MAIL_TEMPLATES: {self._explain(kind, error)}") from error
        for name, part in ((f"{kind}.subject.txt", rendered.subject), (f"{kind}.txt", rendered.text)):
            if not part.strip():
                raise SettingsRefused(f"MAIL_TEMPLATES: {name} writes nothing; put text in it, or remove it.")

    def unused(self) -> list[str]:
        """List the operator's files that no mail uses: their names may be misspelt."""
        known = {path.name for path in OWN.iterdir()}
        # a file that another file includes or extends is named there
        return [
            name for name in self._texts if name not in known and not any(name in text for text in self._texts.values())
        ]

    def _explain(self, kind: NoticeKind, error: Exception) -> str:
        """Return a sentence that says where a template fails, and why."""
        if isinstance(error, jinja2.TemplateSyntaxError):
            place = f"{error.name}, line {error.lineno}"
        elif isinstance(error, jinja2.TemplateNotFound):
            place = f"a template of the mail {kind!r}: there is no file"
        else:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame for frame in frames if Path(frame.filename).parent in (self._folder, OWN)]
            place = f"{Path(lines[-1].filename).name}, line {lines[-1].lineno}" if lines else f"the mail {kind!r}"
        reason = str(error) if isinstance(error, jinja2.TemplateError) else f"{type(error).__name__}: {error}"
        return f"{place}: {reason}"


@cache
def templates_in(folder: str) -> TemplateSet:
    """Return the templates of a folder; they are read once, so a change in them takes a restart."""
    return TemplateSet(folder)


def _texts_in(folder: Path) -> dict[str, str]:
    """Read an operator's templates, by file name."""
    if not folder.is_dir():
        raise SettingsRefused(f"MAIL_TEMPLATES: {folder} is not a folder; create it, or set another path.")
    texts = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".txt", ".html"):
            try:
                texts[path.name] = path.read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsRefused(f"MAIL_TEMPLATES: {path.name} can't be read as UTF-8 text: {error}") from error
    return texts


def _render(environment: jinja2.Environment, kind: NoticeKind, variables: Mapping[str, Any]) -> RenderedTemplate:
    subject = safe_text.one_line(environment.get_template(f"{kind}.subject.txt").render(variables), MAX_SUBJECT)
    variables = {**variables, "subject": subject}
    text, html = (environment.get_template(f"{kind}.{part}").render(variables) for part in ("txt", "html"))
    return RenderedTemplate(subject, text, html)


def _environment(*folders: Path) -> jinja2.Environment:
    loaders: list[jinja2.BaseLoader] = [jinja2.FileSystemLoader(folder) for folder in folders]
    loaders.append(jinja2.PrefixLoader({PREFIX: jinja2.FileSystemLoader(OWN)}))
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=jinja2.select_autoescape(["html"], default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals |= {"colours": COLOURS, "status_colours": STATUS_COLOURS}
    environment.filters |= {"wrapped": wrapped, "counted": _counted, "moment": in_words}
    return environment


def _counted(number: int) -> str:
    return f"{number:,}"
