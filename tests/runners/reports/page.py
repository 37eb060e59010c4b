"""A page as a test reads it, and the check that it needs nothing from elsewhere."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from urllib.parse import unquote

import av

FROM_ELSEWHERE = re.compile(r"(https?:)?//(?!$)", re.IGNORECASE)
LOADING = {"src", "href", "poster", "srcset", "data", "action", "xlink:href"}
VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """What a test looks for on a page."""

    def __init__(self, path):
        super().__init__()
        self.folder, self.source = path.parent, path.read_text()
        self.tags, self.addresses, self.images, self.text = [], [], [], ""
        self._open = []
        self.feed(self.source)
        assert [tag for tag in self._open if tag not in {"tr", "td", "th", "p"}] == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        for name, value in attributes:
            if name in LOADING and value is not None:
                self.addresses.append(value)
            if tag == "img" and name == "src":
                self.images.append(value)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        while self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def assert_self_contained(page):
    """No address leads elsewhere, every image decodes, every drawing is well-formed, every video plays."""
    assert [tag for tag, _ in page.tags if tag in {"script", "link", "iframe", "object", "embed"}] == []
    for address in [*page.addresses, *re.findall(r"url\(([^)]*)\)|@import", page.source)]:
        assert not FROM_ELSEWHERE.match(address), address
        assert address.startswith(("data:", "#")) or (page.folder / unquote(address)).is_file(), address
    assert re.findall(r"[\w+]+://", page.source) == []
    for image in page.images:
        av.open(io.BytesIO(base64.b64decode(image.partition(",")[2])))
    drawings = re.findall(r"<svg.*?</svg>", page.source, re.DOTALL)
    assert drawings
    for drawing in drawings:
        for element in ET.fromstring(drawing).iter():  # noqa: S314  # our own page
            for name in ("x", "y", "width", "x1", "x2", "y1", "y2"):
                assert 0 <= float(element.get(name, 0)) <= 100, drawing
            for number in re.findall(r"-?[\d.]+", element.get("d", "")):
                assert 0 <= float(number) <= 100, drawing
    for video in page.of("video"):
        with av.open(str(page.folder / unquote(video["src"]))) as container:
            assert next(container.decode(video=0)).width > 0
