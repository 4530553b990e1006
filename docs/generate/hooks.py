"""What MkDocs calls while it builds: adds the generated pages and pictures, orders the navigation."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import pages
import pictures

# The sections of the navigation. Pages that no section names, such as new ones, stand at the end.
SECTIONS = {
    "": ["index", "quickstart"],
    "Use": ["recipes", "binarizations", "quantizers", "networks", "ensembles", "search", "visualize", "commands"],
    "Deploy": ["converter", "delegate", "android"],
    "Results": ["benchmarks", "methods", "comparisons", "search_results", "latency_prediction", "results"],
    "Python": ["api/index"],
}
LAST = ["contributing", "changelog"]
OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+[^)]*\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The navigation, of the pages that there are."""
    folder = Path(config.docs_dir)
    written = {
        path.relative_to(folder).with_suffix("").as_posix()
        for path in folder.rglob("*.md")
        if "generate" not in path.relative_to(folder).parts
    }
    names = written | set(pages.PAGES)
    nav: list[Any] = []
    for title, wanted in SECTIONS.items():
        own = [f"{name}.md" for name in wanted if name in names]
        if title == "Python":
            own += [f"{name}.md" for name in sorted(names) if name.startswith("api/") and name != "api/index"]
        nav += [{title: own}] if title else [{"Home": own[0]}, *own[1:]]
    named = {name for wanted in SECTIONS.values() for name in wanted} | set(LAST)
    rest = [name for name in sorted(names) if name not in named and "/" not in name]
    config.nav = [*nav, *(f"{name}.md" for name in [*rest, *LAST])]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The generated pages and pictures, which lie nowhere but in the site."""
    for name, make in pages.PAGES.items():
        files.append(File.generated(config, f"{name}.md", content=make()))
    for path, content in pictures.make().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Links to files beside docs/, which the source tree has and the site has not, become their text."""
    return OUTSIDE.sub(r"\1", markdown)
