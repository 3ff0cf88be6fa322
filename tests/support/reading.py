"""Reads a mail as a mail program would, with the standard library only, and reports unintended content."""

import re
from collections import Counter
from html.parser import HTMLParser

from tests.support.hostile import BIDI
from tests.support.smtp import Caught

HEADERS = {
    *("from", "to", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted"),
    "x-auto-response-suppress",
    *("list-unsubscribe", "list-unsubscribe-post", "mime-version", "content-type", "content-transfer-encoding"),
}
"""All that may stand at the head of a mail, each once."""
PARTS = {"multipart/mixed", "multipart/related", "multipart/alternative", "text/plain", "text/html"}
FILES = {"text/csv", "application/json", "image/png", "image/jpeg", "image/gif", "image/webp"}
_TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "footer",
        "section",
        "div",
        "span",
        "p",
        "br",
    ),
    *("h1", "h2", "h3", "dl", "dt", "dd", "a", "img", "table", "caption", "thead", "tbody", "tr", "th", "td", "pre"),
    *("br", "hr", "strong", "em", "b", "code", "ul", "ol", "li", "figure", "figcaption", "center"),
}
_STEP_OUTSIDE = re.compile(r"url\s*\(|@import|expression\s*\(|behavior\s*:|-moz-binding|javascript:", re.IGNORECASE)


class _Page(HTMLParser):
    """Collects what a mail's HTML would have its reader's program do."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.links: list[str] = []
        self.sources: list[str] = []
        self.styles: list[str] = []
        self.faults: list[str] = []
        self.seen: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._inside = tag if tag in {"style", "title"} else self._inside
        if tag == "br":
            self.seen.append("\n")
        for name, value in attrs:
            value = value or ""  # noqa: PLW2901 -- an attribute without a value has the empty one
            match name:
                case "href" if tag == "a":
                    self.links.append(value)
                case "src" if tag == "img":
                    self.sources.append(value)
                case "style":
                    self.styles.append(value)
                case "http-equiv" | "href" | "src" | "srcset" | "action" | "background" | "ping" | "data" | "srcdoc":
                    self.faults.append(f"<{tag} {name}={value[:80]!r}>")
                case _ if name.startswith("on"):
                    self.faults.append(f"<{tag} {name}>")

    def handle_endtag(self, tag: str) -> None:
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self.styles.append(data)
        elif not self._inside:
            self.seen.append(data)

    def handle_comment(self, data: str) -> None:
        self.faults.append(f"<!--{data[:80]}-->")  # some programs read conditions in them

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"<![{data[:80]}]>")


def page_of(markup: str) -> _Page:
    """Read a mail's HTML."""
    page = _Page()
    page.feed(markup)
    page.close()
    return page


def look_through(mail: Caught, to: str, sender: str, at_home: str) -> list[str]:
    """Read a mail as it came in, and give all that shouldn't be there. `at_home` begins all links that may be."""
    faults = [*_faults_of_bytes(mail.content), *_faults_of_headers(mail, to, sender, at_home), *_faults_of_parts(mail)]
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", mail.text):
        faults.append("control characters in the text")
    page = page_of(mail.html)
    faults += page.faults
    faults += [f"<{tag}>" for tag in page.tags if tag not in _TAGS]
    faults += [f"{tag} {page.tags[tag]} times" for tag in ("html", "head", "body", "style") if page.tags[tag] > 1]
    faults += [f"a link to {link[:80]!r}" for link in page.links if not link.startswith(f"{at_home}/")]
    faults += [f"a style with {style[:80]!r}" for style in page.styles if _STEP_OUTSIDE.search(style)]
    shown = {f"cid:{part['Content-ID'][1:-1]}" for part in mail.message.walk() if part["Content-ID"]}
    faults += [f"a picture from {source[:80]!r}" for source in page.sources if source not in shown]
    return faults


def _faults_of_bytes(content: bytes) -> list[str]:
    faults = [] if content.isascii() else ["not ASCII"]
    if re.search(rb"\r(?!\n)|(?<!\r)\n", content):
        faults.append("bare line ends")
    if any(len(line) > 998 for line in content.split(b"\r\n")):
        faults.append("a line that SMTP doesn't allow")
    return faults


def _faults_of_headers(mail: Caught, to: str, sender: str, at_home: str) -> list[str]:
    names = Counter(name.lower() for name in mail.message.keys())  # noqa: SIM118 -- a mail isn't a dict
    # and by eye, as a program that reads leniently: what begins like a header in the head is one
    head = mail.content.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    lines = Counter(line.partition(":")[0].lower() for line in head.split("\r\n") if line[:1] not in (" ", "\t"))
    faults = [f"header {name!r} {count} times" for name, count in (names | lines).items() if count > 1]
    faults += [f"header {name[:80]!r}" for name in (names | lines) if name not in HEADERS]
    faults += [f"no {name}" for name in ("from", "to", "subject", "date", "message-id") if names[name] != 1]
    if (mail.sender, mail.recipients) != (sender, [to]):
        faults.append(f"an envelope from {mail.sender} to {mail.recipients}")
    if str(mail.message["To"]) != to:
        faults.append(f"To: {mail.message['To']}")
    if not re.fullmatch(r"[^\r\n]{1,200}", str(mail.message["Subject"])) or set(str(mail.message["Subject"])) & set(
        BIDI
    ):
        faults.append(f"Subject: {mail.message['Subject']!r}")
    if (leave := mail.message["List-Unsubscribe"]) and not re.fullmatch(
        rf"<{re.escape(at_home)}/[^<>\s]+>", str(leave)
    ):
        faults.append(f"List-Unsubscribe: {leave}")
    return faults


def _faults_of_parts(mail: Caught) -> list[str]:
    faults = []
    for part in mail.message.walk():
        kind = part.get_content_type()
        if part.defects:
            faults.append(f"{kind} is broken: {part.defects}")
        if kind not in PARTS | FILES:
            faults.append(f"a part of type {kind}")
        if (name := part.get_filename()) == "letter.txt" and kind == "text/plain":
            continue  # the whole of a text that the HTML part shows in part
        if name and not re.fullmatch(r"[A-Za-z0-9_-]+\.(csv|json|png|jpg|gif|webp)", name):
            faults.append(f"a file called {name[:80]!r}")
        if kind in PARTS and name:
            faults.append(f"a file of type {kind}")
    return faults


def files_of(mail: Caught) -> dict[str, bytes]:
    """Return the files of a mail by the type that they have."""
    return {
        part.get_content_type(): part.get_payload(decode=True)
        for part in mail.message.walk()
        if part.get_content_type() in FILES
    }
