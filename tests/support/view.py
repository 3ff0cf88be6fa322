"""The pages behind the links in mails, as the tests read them, and the job that they show."""

from html.parser import HTMLParser

ID = "019a5b1e-7c7e-7d2a-9a43-5d0c8f5b1c11"
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
RECORD = {
    "operation": "sum",
    "arguments": '{"value":30,"other":10}',
    "status": "succeeded",
    "result": "40",
    "email": "owner@email.com other@email.com",
    "webhook_url": "https://hooks.example/secret",
    "note:mail:receipt": '{"channel":"mail","to":"owner@email.com","kind":"receipt","state":"sent"}',
    "attempt": "1",
    "max_attempts": "3",
    "created_at": "1795271546000",
    "started_at": "1795271546100",
    "finished_at": "1795271546350",
    "expires_at": "1795371546350",
}
RUNNING = {"status": "running", "finished_at": None, "expires_at": None, "result": None}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, and the texts in them."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.elements]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for each, attributes in self.elements if each == tag and name in attributes]


def path_of(url: str) -> str:
    """Return the path of a link."""
    return url.removeprefix("http://127.0.0.1:5000")
