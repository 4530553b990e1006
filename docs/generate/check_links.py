"""Every link and picture inside the built site leads somewhere: python docs/generate/check_links.py build/site"""

from __future__ import annotations

import html.parser
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(html.parser.HTMLParser):
    """What a page links to, and the places in it that links can name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value and name in ("href", "src") and not (tag == "link" and ("rel", "canonical") in attributes):
                self.links.append(value)
            if value and name in ("id", "name"):
                self.places.add(value)


def broken(site: Path) -> list[str]:
    """A line for each link that leads nowhere; those to other hosts are not followed, but none may load from one."""
    pages = {path.resolve(): Page(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            below = site.resolve() / parts.path.lstrip("/") if parts.path.startswith("/") else path.parent / parts.path
            target = path if not parts.path else Path(unquote(str(below))).resolve()
            target = target / "index.html" if target.is_dir() else target
            if not target.exists():
                found.append(f"{path.relative_to(site.resolve())}: {link}")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                found.append(f"{path.relative_to(site.resolve())}: {link}, which has no such place")
    return found


if __name__ == "__main__":
    wrong = broken(Path(sys.argv[1]))
    print("\n".join(wrong) or "every link leads somewhere")
    sys.exit(bool(wrong))
