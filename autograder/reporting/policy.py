"""The check that a page is inert: what a strict Content-Security-Policy would refuse in it."""

import re
from html.parser import HTMLParser

from autograder.submissions import PICTURE

# A page may show its own styles and the images it carries. It may do and fetch nothing.
POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'"
)


def offences(page):
    """What this page holds that a strict Content-Security-Policy refuses; [] if it is inert.

    Scripts, frames, forms and embedded things; handlers in attributes; everything that would be
    fetched, and every link that leads off the page; a missing policy.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    if POLICY not in reader.policies:
        reader.found.append("no Content-Security-Policy")
    return reader.found


# fmt: off
ACTS = {
    "script", "iframe", "frame", "frameset", "object", "embed", "applet", "form", "input",
    "button", "textarea", "select", "base", "link", "svg", "math", "audio", "video", "source",
    "track", "portal", "noscript", "template",
}
REFERS = {
    "href", "src", "srcset", "action", "formaction", "data", "background", "poster", "cite",
    "ping", "xlink:href",
}
# fmt: on


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found = []
        self.policies = []
        self.in_style = False

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        if tag in ACTS:
            self.found.append(f"<{tag}>")
        if tag == "meta":
            if attributes.get("http-equiv", "").lower() == "content-security-policy":
                self.policies.append(attributes.get("content", ""))
            elif "http-equiv" in attributes:
                self.found.append(f"<meta http-equiv={attributes['http-equiv']}>")
        for name, value in attributes.items():
            if name.startswith("on"):
                self.found.append(f"{name}= in <{tag}>")
            elif name in REFERS and not (value.startswith("#") or PICTURE.fullmatch(value)):
                self.found.append(f"{name}={value[:60]} in <{tag}>")
            elif name == "style":
                self.look_at_style(value)
        self.in_style = tag == "style"

    def handle_endtag(self, tag):
        self.in_style = False

    def handle_comment(self, data):
        self.found.append("a comment")  # where it ends, browsers do not agree

    def handle_pi(self, data):
        self.found.append("a processing instruction")

    def unknown_decl(self, data):
        self.found.append("a declaration")

    def handle_data(self, data):
        if self.in_style:
            self.look_at_style(data)

    def look_at_style(self, text):
        if re.search(r"(?i)url\s*\(|@import|expression\s*\(", text):
            self.found.append("a style that fetches")
