"""What the tests of all pages in a browser share."""

from __future__ import annotations

from dataclasses import dataclass, field

SIZE = {"width": 1200, "height": 900}
# Asks for what a page's policy must forbid: a foreign picture with a script of its own, a script, the network.
TRESPASS = """() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", (event) => window.refused.push(event.effectiveDirective));
    const image = document.createElement("img");
    image.src = "https://example.com/x.png";
    image.setAttribute("onerror", "window.ran = true");
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    document.body.append(image, script);
    return fetch("https://example.com/").catch(() => {});
}"""


@dataclass
class Opened:
    """A page, and what it did beside being read."""

    page: object
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listeners(self):
        """By event: what notes down what the page does."""
        return {
            "request": lambda request: self.requests.append(request.url),
            "console": lambda message: self.complaints.append(message.text),
            "pageerror": lambda error: self.complaints.append(str(error)),
            "dialog": lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()),
        }
