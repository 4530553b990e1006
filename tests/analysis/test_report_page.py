"""The page: every number that a person reads is the run's, nothing is requested, everything is escaped."""

from __future__ import annotations

import dataclasses
import html.parser
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflbnn.analysis.report import charts, units
from tflbnn.analysis.report.facts import Confusion, Facts, Latency
from tflbnn.analysis.report.page import render
from tflbnn.runtime.benchmark import Timing

FINITE = st.floats(-1e6, 1e6)
UNEXPORTED = {"model_bytes": None, "latency": None, "verification": None}
HOSTILE = '<script>alert("x")</script>&<img src=http://example.com/x onerror=alert(1)>'


class Page(html.parser.HTMLParser):
    """A parsed page: its tags with their attributes, the text of each section, and its tables."""

    VOID = frozenset({"meta", "br", "wbr", "img"})

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.sections: dict[str, str] = {"": ""}
        self.style = ""
        self._section = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)
            self.sections[self._section] += " "
        if tag == "section":
            self._section = dict(attributes)["id"]
            self.sections[self._section] = ""

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.sections[self._section] += " "
        if tag == "section":
            self._section = ""

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.sections[self._section] += data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.sections.values()).split())

    def section(self, name: str) -> str:
        return " ".join(self.sections[name].split())


def facts(**changes) -> Facts:
    history = [
        {"epoch": n, "loss": 2 / n, "accuracy": 1 - 0.5 / n, "val_loss": 2.5 / n, "val_accuracy": 1 - 0.6 / n}
        for n in range(1, 6)
    ]
    full = Facts(
        folder=Path("runs/digits-1"),
        recipe={"name": "digits", "epochs": 5, "network": {"name": "binary_densenet", "knobs": {"growth_rate": 32}}},
        environment={"python": "3.11.2", "packages": {"larq": "0.14.0"}, "command": "tflbnn train digits"},
        history=history,
        metrics={"test_accuracy": 0.9},
        labels=["zero", "one"],
        commands=["tflbnn train digits epochs=5"],
        model_bytes=61_244,
        verification={
            "verified": True,
            "binary_layers": 1,
            "layers": [{"layer": "inner_conv", "mismatches": 0, "max_abs_error": 0.0}],
        },
        confusion=Confusion(np.array([[4, 1], [0, 5]]), "Exported model with the delegate"),
        latency=Latency(Timing(0.125, 0.14, 0.12, 60), Timing(0.5, 0.55, 0.48, 60), 412_344, "avx512", 1),
    )
    return dataclasses.replace(full, **changes)


def test_shows_the_numbers_of_the_run():
    page = Page(render(facts()))
    header = " ".join(page.sections[""].split())
    assert "90.0 %" in header
    assert "59.8 KiB" in header
    assert "0.125 ms" in header
    assert "4.00 times as fast" in header
    assert "Verified" in header
    assert "5 epochs. Best validation accuracy 88.0 %." in page.section("training")
    assert "9 of 10 test images right (90.0 %)" in page.section("confusion")
    assert "zero 4 1 80.0 % one 0 5 100 %" in page.section("confusion")
    assert "zero taken for one 1" in page.section("confusion")
    assert "0.125 ms 0.140 ms 0.120 ms 59.8 KiB" in page.section("latency")
    assert "0.500 ms 0.550 ms 0.480 ms 402.7 KiB" in page.section("latency")
    assert "inner_conv 0 0" in page.section("verification")
    assert "network.growth_rate 32" in page.section("recipe")
    assert "packages.larq 0.14.0" in page.section("environment")
    assert "tflbnn train digits epochs=5" in page.section("reproduce")


def outside_requests(page: Page) -> list[str]:
    """Whatever a browser would fetch: the tags and attributes that load, and CSS that does."""
    loading = {
        "script",
        "link",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "source",
        "base",
        "form",
        "image",
    }
    found = [tag for tag, _ in page.tags if tag in loading]
    for tag, attributes in page.tags:
        found += [f"{tag} {name}" for name in attributes if name in {"href", "xlink:href", "srcset", "action"}]
        inside = tag == "img" and (attributes.get("src") or "").startswith("data:image/png;base64,")
        found += [f"{tag} src"] if "src" in attributes and not inside else []
        found += [f"{tag} {name}" for name in attributes if name.startswith("on")]
        found += [f"{tag} style" for value in [attributes.get("style") or ""] if "url" in value]
    return found + re.findall(r"url\(|@import|@font-face", page.style)


def test_makes_no_request_and_closes_every_tag():
    page = Page(render(facts()))
    assert outside_requests(page) == []
    assert page.open == []
    policy = {attributes.get("http-equiv"): attributes.get("content") for _, attributes in page.tags}
    assert policy["Content-Security-Policy"].startswith("default-src 'none'")


@settings(deadline=None, max_examples=40)
@given(st.one_of(st.just(HOSTILE), st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1)))
def test_escapes_whatever_comes_from_files(text):
    harmless = Page(render(hostile_facts("word")))
    source = render(hostile_facts(text))
    page = Page(source)
    tags, expected = (
        [(tag, sorted(attributes)) for tag, attributes in parsed.tags if tag not in ("wbr", "br")]
        for parsed in (page, harmless)
    )
    assert tags == expected
    assert outside_requests(page) == []
    assert " ".join(text.split()) in page.section("recipe")
    for name in ("", "notices", "confusion", "verification", "environment", "reproduce"):
        assert " ".join(text.split()) in page.section(name)


def hostile_facts(text: str) -> Facts:
    return facts(
        folder=Path("runs"),
        recipe={"name": text, "paper": text, f"key {text}": text},
        environment={text: [text, {"deep": text}]},
        labels=[text, text],
        commands=[text],
        notices=(text,),
        verification={"verified": True, f"{text}": text, "layers": [{"layer": text, f"column {text}": text}]},
    )


@pytest.mark.parametrize(
    ("changes", "section", "sentence"),
    [
        ({"model_bytes": None, "latency": None}, "latency", "the run has no model.tflite. Make it with: tflbnn export"),
        (
            {"model_bytes": None, "latency": None, "verification": None},
            "verification",
            "Not verified: the run has no model.tflite.",
        ),
        ({"metrics": {}, "confusion": None}, "confusion", "the training has not finished. Continue it with: tflbnn"),
        ({"history": []}, "training", "No epoch has finished"),
        ({"environment": {}}, "environment", "no environment.json"),
        ({"notices": ("Epoch 3: loss is not a number.",)}, "notices", "Epoch 3: loss is not a number."),
        ({"verification": {"verified": False}}, "verification", "does NOT agree"),
    ],
)
def test_says_plainly_what_is_missing(changes, section, sentence):
    assert sentence in Page(render(facts(**changes))).section(section)


@pytest.mark.parametrize(
    ("changes", "badge"),
    [
        ({"metrics": {}}, "Training not finished"),
        (UNEXPORTED, "Trained, not exported"),
        ({"verification": None}, "Exported, not verified"),
        ({"verification": {"verified": "true"}}, "Verification failed"),
    ],
)
def test_never_claims_more_than_the_files_do(changes, badge):
    page = Page(render(facts(**changes)))
    assert badge in page.sections[""]
    assert "Verified" not in page.sections[""]


def test_many_classes_become_a_heat_map_of_the_cells_that_hold_something():
    matrix = np.diag(np.full(100, 9))
    matrix[3, 7] = 2
    source = render(facts(confusion=Confusion(matrix, "Keras model"), labels=[f"class-{i}" for i in range(100)]))
    page = Page(source)
    assert "class-3 taken for class-7 2" in page.section("confusion")
    assert "class-3 81.8 % (9 of 11)" in page.section("confusion")
    paths = [attributes["d"] for tag, attributes in page.tags if tag == "path" and attributes.get("class") == "right"]
    assert sum(path.count("M") for path in paths) == 100
    assert len(source) < 60_000


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG 2.1's contrast ratio of two sRGB colours."""

    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def palettes() -> dict[str, dict[str, list[float]]]:
    """The page's colours by name, in light and in dark."""
    style = Page(render(facts())).style
    found = []
    for block in re.findall(r":root\{(.*?)\}", style):
        colours = {}
        for name, value in re.findall(r"--([\w-]+):([#\w ]+)", block):
            digits = value.removeprefix("#")
            digits = digits if len(digits) == 6 else "".join(2 * digit for digit in digits)
            colours[name] = (
                [float(part) for part in value.split()]
                if " " in value
                else [int(digits[i : i + 2], 16) for i in (0, 2, 4)]
            )
        found.append(colours)
    return {"light": found[0], "dark": {**found[0], **found[1]}}


def test_a_long_training_makes_no_large_page():
    history = [{"loss": 1 / n, "val_loss": 2 / n, "accuracy": 0.5, "val_accuracy": 0.5} for n in range(1, 5001)]
    source = render(facts(history=history))
    assert "5000 epochs of 5" in Page(source).section("training")
    assert len(source) < 500_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(scheme):
    colours = palettes()[scheme]
    pairs = [(text, ground) for text in ("ink", "soft") for ground in ("page", "card")]
    pairs += [("blue", "card"), ("orange", "card"), *((kind, f"{kind}-bg") for kind in ("good", "warn", "bad"))]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for kind in ("heat", "wrong"):
        for level in range(1, charts.HEAT_LEVELS + 1):
            share = level / charts.HEAT_LEVELS
            ground = [share * c + (1 - share) * b for c, b in zip(colours[kind], colours["card"], strict=True)]
            text = [255] * 3 if level == charts.HEAT_LEVELS else colours["cell"]
            assert contrast(text, ground) >= 4.5, (kind, level)


@given(FINITE, FINITE, st.integers(3, 8))
def test_ticks_are_few_and_enclose_the_values(one, other, count):
    low, high = sorted((one, other))
    values = charts.tick_values(low, high, count)
    slack = 1e-6 * max(abs(low), abs(high), 1)
    assert values[0] <= low + slack
    assert values[-1] >= high - slack
    assert 2 <= len(values) <= count + 3
    assert values == sorted(set(values))


@given(st.integers(1, 5000))
def test_epoch_ticks_go_from_the_first_to_the_last(epochs):
    ticks = charts.epoch_ticks(epochs)
    assert ticks[0] == 1
    assert ticks[-1] == epochs
    assert ticks == sorted(set(ticks))
    assert len(ticks) <= 8


NUMBERS = st.lists(st.one_of(FINITE, st.sampled_from([math.nan, math.inf, -math.inf])), max_size=30)


@given(NUMBERS, NUMBERS)
def test_a_chart_draws_the_finite_values_and_leaves_gaps(train, validation):
    chart = charts.line_chart("Loss", {"train": train, "validation": validation})
    finite = {name: sum(map(math.isfinite, c)) for name, c in (("train", train), ("validation", validation))}
    if not any(finite.values()):
        assert chart is None
        return
    assert {line.name: len(line.points) for line in chart.series} == {n: count for n, count in finite.items() if count}
    assert all(-0.01 <= number <= 100.01 for line in chart.series for p in line.points for number in (p.x, p.y))
    runs = {
        name: sum(math.isfinite(b) and not math.isfinite(a) for a, b in zip([math.nan, *c], c, strict=False))
        for name, c in (("train", train), ("validation", validation))
    }
    assert all(line.path.count("M") == runs[line.name] for line in chart.series)
    labels = sorted(line.label_y for line in chart.series)
    assert all(below - above >= 16.9 for above, below in itertools.pairwise(labels))


@given(st.integers(1, 10**7), st.data())
def test_percentages_hide_no_mistake(total, data):
    right = data.draw(st.integers(0, total))
    text = units.percent(right / total)
    assert (text == "100 %") == (right == total)
    if right == 0:
        assert text == "0.0 %"
