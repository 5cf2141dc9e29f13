"""The pages of the kinds in `docs/kinds`: every fault drawn and measured, of catalogue and physics as they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firmware_sim.kind_page import PageError, block, block_on, digest_of, digest_on, drawn, write_block
from firmware_sim.physics import simulated_kinds
from firmware_sim.plot import plot
from firmware_sim.scenario_file import read_scenario
from firmware_sim.signature import signature
from stack.sim_features import read_features
from telemetry.catalogue import load_catalogue

CATALOGUE = load_catalogue()
DOCS = Path(__file__).parents[2] / "docs"
KINDS = sorted(path.stem for path in (DOCS / "kinds").glob("*.md"))


def page(kind: str) -> Path:
    return DOCS / "kinds" / f"{kind}.md"


def test_every_kind_that_is_simulated_has_a_page() -> None:
    assert set(KINDS) == {*simulated_kinds(), "smart_plug"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_of_the_catalogue_as_it_is(kind: str) -> None:
    text = page(kind).read_text(encoding="utf-8")
    assert digest_on(text) == digest_of(CATALOGUE[kind]), (
        f"docs/kinds/{kind}.md is stale: "
        f"wellkept sim describe {kind} --plots docs/img/kinds --page docs/kinds/{kind}.md"
    )
    measured = block_on(text) or ""
    for fault in drawn(CATALOGUE[kind]):
        assert f"`{fault}`" in measured
        assert f"](../img/kinds/{kind}-{fault}.svg)" in text
        assert (DOCS / "img" / "kinds" / f"{kind}-{fault}.svg").is_file()
        assert f"| `{fault}` | {CATALOGUE[kind].faults[fault].family} |" in text


@pytest.mark.parametrize("kind", [name for name in KINDS if CATALOGUE[name].phases])
def test_a_page_cites_its_sources_and_shows_the_healthy_appliance(kind: str) -> None:
    text = page(kind).read_text(encoding="utf-8")
    assert re.search(r"^Sources?: [^#]*?\b(19|20)\d\d\b", text, re.MULTILINE)
    assert f"](../img/kinds/{kind}.svg)" in text


def test_another_model_makes_a_page_stale_and_other_words_do_not(tmp_path: Path) -> None:
    text = page("freezer").read_text(encoding="utf-8")
    assert digest_on(text.replace("<!-- measured", "<!-- counted")) is None
    with pytest.raises(PageError, match="no place for it"):
        write_block(tmp_path / "new.md", "anything")
    head = 'id = "x"\ntitle = "x"\n[[fleet]]\nkind = "freezer"\ncount = 1\n'
    for body, same in (
        ("[models.freezer.nv210]\nparameters = {fan_rpm = 2500.0}\n", False),
        ('[models.freezer.nv210]\ntitle = "Nova"\n', True),
        ("[define.fault.freezer.refrigerant_leak]\nlead_days = [3.0, 4.0]\n", False),
    ):
        changed = read_scenario(head + body, "x.toml").catalogue(CATALOGUE)["freezer"]
        assert (digest_of(changed) == digest_of(CATALOGUE["freezer"])) is same, body


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_pages_and_pictures_are_what_the_command_writes(kind: str, tmp_path: Path) -> None:
    shown = [signature(CATALOGUE, kind, fault, reader=read_features) for fault in (None, *drawn(CATALOGUE[kind]))]
    assert block(CATALOGUE[kind], shown[1:], f"docs/kinds/{kind}.md") == block_on(
        page(kind).read_text(encoding="utf-8")
    )
    for one in shown:
        name = f"{kind}.svg" if one.id is None else f"{kind}-{one.id}.svg"
        plot(one, tmp_path / name)
        assert (tmp_path / name).read_text(encoding="utf-8") == (DOCS / "img" / "kinds" / name).read_text(
            encoding="utf-8"
        )
