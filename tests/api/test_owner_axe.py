"""axe on every state of an owner's case: a choice of them each time, all of them in all clothes in the long tier."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from stack.embedded_postgres import EmbeddedPostgres
from tests.api import owner_states as states
from tests.api.axe import axe_violations
from tests.api.case import Seeded
from tests.api.owner_stage import ORIGIN, Stage, staged

pytestmark = pytest.mark.browser
Look = tuple[str, str, int]
"""Language, scheme, width."""
LOOKS: list[Look] = list(itertools.product(("en", "zh"), ("light", "dark"), (360, 1366)))
SCENES: list[tuple[str, states.Enter]] = [
    *(("", each) for each in states.ALERT.values()),
    *(("/visit", each) for each in states.VISIT.values()),
    *(("/time", each) for each in states.TIME.values()),
    *(("/access", each) for each in (states.confirmed, states.answered)),
]
CHOICE: list[tuple[str, states.Enter, Look]] = [
    ("", states.safety, ("zh", "dark", 360)),
    ("", states.wrong, ("en", "light", 1366)),
    ("/visit", states.travelling, ("en", "light", 360)),
    ("/visit", states.late, ("zh", "light", 360)),
    ("/visit", states.answered, ("en", "dark", 1366)),
    ("/visit", states.missed, ("zh", "dark", 360)),
    ("/time", states.held, ("zh", "light", 360)),
    ("/time", states.nobody, ("en", "dark", 360)),
    ("/access", states.answered, ("en", "light", 360)),
]


@pytest.fixture(scope="module")
def stage(postgres: EmbeddedPostgres, seeded_template: tuple[str, Seeded]) -> Iterator[Stage]:
    with staged(postgres, *seeded_template) as made:
        yield made


def found(browser: Browser, stage: Stage, scenes: list[tuple[str, states.Enter]], look: Look) -> Iterator[str]:
    """What is wrong in some scenes, with the sketch and the details open."""
    lang, scheme, width = look
    context = browser.new_context(
        viewport={"width": width, "height": 740 if width == 360 else 768},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    stage.serve(page)
    for path, state in scenes:
        stage.enter(state)
        name = f"{path or '/'} {state.__name__} {lang} {scheme} {width}"
        answer = page.goto(f"{ORIGIN}{stage.seeded.alert}{path}?lang={lang}")
        assert answer is not None
        assert answer.ok, name
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        yield from (f"{name}: {line}" for line in axe_violations(page))
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if sideways > 0:
            yield f"{name}: {sideways} px too wide"
        small = page.evaluate(
            "[...document.querySelectorAll('main .btn, main summary, main .pick, main .links a')]"
            ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)"
            ".map(e => e.className || e.tagName)"
        )
        if small:
            yield f"{name}: smaller than a finger: {small}"
    context.close()


@pytest.mark.long
def test_a_choice_of_states(browser: Browser, stage: Stage) -> None:
    wrong = [line for path, state, look in CHOICE for line in found(browser, stage, [(path, state)], look)]
    assert wrong == []


@pytest.mark.long
@pytest.mark.parametrize("look", LOOKS)
def test_every_state_in_all_clothes(browser: Browser, stage: Stage, look: Look) -> None:
    assert list(found(browser, stage, SCENES, look)) == []


@pytest.mark.long
def test_nothing_is_cut_off_on_the_narrowest_phone(browser: Browser, stage: Stage) -> None:
    """Reflow at 320 px (WCAG 1.4.10)."""
    for lang in ("en", "zh"):
        assert list(found(browser, stage, SCENES, (lang, "light", 320))) == []
