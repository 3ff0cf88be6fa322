"""Swagger UI in a browser: opens, fills in and sends the form of one operation."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@dataclass(frozen=True)
class Form:
    """What the page shows for one method of one path."""

    block: "Locator"

    @classmethod
    def at(cls, page: "Page", path: str, method: str = "post") -> "Form":
        """Find it on the page, open or not."""
        return cls(page.locator(f".opblock-{method}", has=page.locator(f"[data-path='{path}']")))

    @property
    def summary(self) -> "Locator":
        """Its row, which opens it."""
        return self.block.locator(".opblock-summary-control")

    @property
    def button(self) -> "Locator":
        """What sends it."""
        return self.block.locator("button.execute")

    @property
    def body(self) -> "Locator":
        """The text of its body."""
        return self.block.locator("textarea.body-param__text")

    @property
    def answer(self) -> "Locator":
        """What came back."""
        return self.block.locator(".live-responses-table .response")

    def schema(self) -> "Locator":
        """Change from its body to what a body may be, and give that."""
        request = self.block.locator(".opblock-section-request-body")
        request.get_by_role("tab", name="Schema").click()
        box = request.locator(".model-box").first
        box.wait_for()
        return box

    def field(self, parameter: str) -> "Locator":
        """Find the field of a parameter."""
        return self.block.locator(f"tr[data-param-name='{parameter}'] input")

    def execute(self) -> str:
        """Send it, and return the status that is shown."""
        self.button.click()
        self.answer.wait_for()
        return self.status()

    def status(self) -> str:
        """Return the status that is shown."""
        return self.answer.locator(".response-col_status").inner_text()


def open_form(page: "Page", url: str, path: str, method: str = "post", *, examples: bool = False) -> Form:
    """Go to the page, with the examples or without, and open one form."""
    page.goto(f"{url}/apidocs{'?examples=true' if examples else ''}")
    form = Form.at(page, path, method)
    form.summary.click()
    form.button.wait_for()
    return form
