from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from firmware_sim.costs import Costs
from stack.trial.markdown import markdown
from stack.trial.matching import match
from stack.trial.page import Words, page
from stack.trial.record import TrialRecord
from stack.trial.report import report
from telemetry.catalogue import load_catalogue
from tests.stack.trial.grown import grown
from tests.stack.trial.small import trial

CATALOGUE = load_catalogue()
VOID = {"meta", "link", "br", "line", "rect", "path"}


class Reader(HTMLParser):
    """Checks that tags nest, and gathers what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.fetched += [value for name, value in attrs if name == "src" and value]
        if tag == "link":
            self.fetched.append(given.get("href") or "")
        if tag == "a":
            self.links.append(given.get("href") or "")
        if "id" in given:
            self.ids.append(given["id"] or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def rendered(record: TrialRecord) -> tuple[str, Reader]:
    found = report(record, Costs(), CATALOGUE)
    text = page(record, match(record), found, Words("A <fleet> & more", "Run it again"), CATALOGUE)
    reader = Reader()
    reader.feed(text)
    return text, reader


def test_the_page_is_whole_and_fetches_nothing() -> None:
    text, reader = rendered(grown(CATALOGUE, devices=24))
    assert reader.open == []
    assert reader.fetched == ["data:,"]
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert len(reader.ids) == len(set(reader.ids))
    assert not re.findall(r"url\((?!data:)", text)
    assert "A &lt;fleet&gt; &amp; more" in text


def test_the_pages_data_is_the_reports() -> None:
    record = grown(CATALOGUE, devices=24)
    text, _ = rendered(record)
    data = json.loads(re.findall(r'id="data">(.*?)</script>', text)[0])
    matching = match(record)
    assert len(data["leads"]) == len(matching.caught) > 0
    assert data["product"][1] == report(record, Costs(), CATALOGUE)["recall"]
    covered = dict(map(tuple, data["coverage"]))
    assert covered[1.0] == report(record, Costs(), CATALOGUE)["rul_coverage90"]
    assert covered[0.25] <= covered[1.0] <= covered[3.0]


def test_a_name_that_closes_the_script_does_not() -> None:
    base = grown(CATALOGUE, devices=6)
    text, reader = rendered(base)
    assert text.count("<script") == text.count("</script>") == 3
    assert reader.open == []


@pytest.mark.parametrize("record", [trial(), grown(CATALOGUE, devices=12)], ids=["empty", "grown"])
def test_the_markdown_has_whole_tables(record: TrialRecord) -> None:
    text = markdown(report(record, Costs(), CATALOGUE), "Title", "Run it again")
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) >= 5
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block}) == 1
    assert "None" not in text.replace("None.", "")


def test_an_empty_trial_has_a_page_that_says_so() -> None:
    text, reader = rendered(trial())
    assert reader.open == []
    assert "no fault had its failure within the trial" in text
    assert 'data-plot="leads"' not in text
