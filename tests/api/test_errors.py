"""Errors in the asker's language: titles, what it is this time, each field; and what never changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from api.i18n import catalogue
from api.problems import PROBLEMS, not_found, of_desk
from api.said import Sentence, said
from api.settings import Settings
from servicedesk.errors import IllegalMoveError, NeedsReasonError, UnknownError
from servicedesk.hooks import HookStateError
from servicedesk.warranty import DenialError
from tests.api.case import WALL, Seeded
from tests.api.inside import Inside

ROOT = Path(__file__).parents[2]
WORDED = {"AddressError", "HookError", "HookStateError"}
ZH = "zh-CN,zh;q=0.9,en;q=0.5"


@pytest.fixture(scope="module")
def client(module_url: str) -> Iterator[Inside]:
    app = create_app(Settings(database_url=module_url, pool_size=2, rate_per_s=2.0), wall=lambda: WALL)
    with Inside(app) as made:
        yield made
    app.state.context.pool.close()


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_kind_has_chinese_words(kind: str) -> None:
    known = PROBLEMS[kind]
    for sentence in (known.title, known.when):
        assert sentence.in_("zh") != str(sentence)
        assert sentence.in_("en") == str(sentence)


def test_a_sentence_keeps_its_values_in_each_language() -> None:
    sentence = said("at most {most} characters", most=5)
    assert str(sentence) == "at most 5 characters"
    assert sentence.in_("zh") == "最多 5 个字符"
    assert Sentence("no words for this").in_("zh") == "no words for this"
    both = said("{where}: {what}", where="body.a", what=said("this field is needed"))
    assert (str(both), both.in_("zh")) == ("body.a: this field is needed", "body.a：此字段必填")
    assert not_found("ticket").detail == "there is no such ticket"


def test_the_desk_words_an_error_once_for_both_languages() -> None:
    """Every sentence of a worded error stands in the catalogue, and is not made of pieces."""
    raised = 0
    for file in sorted((ROOT / "servicedesk").glob("hook*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in WORDED):
                continue
            message = call.args[call.func.id == "HookError"]
            assert isinstance(message, ast.Constant), f"{file.name}:{call.lineno}"
            if "WELLKEPT_" not in str(message.value):  # a setting: read by the operator, in the log
                assert str(message.value) in catalogue("zh"), message.value
            raised += 1
    assert raised > 12
    gone = of_desk(HookStateError("the delivery is {state}", state="settled"))
    assert (gone.kind, str(gone.detail)) == ("conflict", "the delivery is settled")
    assert isinstance(gone.detail, Sentence)
    assert gone.detail.in_("zh") == "这次投递的状态是settled"


def test_the_desk_is_told_by_code_and_values() -> None:
    moved = of_desk(IllegalMoveError("ticket", "open", "closed", ("hold", "planned")))
    assert isinstance(moved.detail, Sentence)
    assert moved.detail.in_("zh") == "open 不能变为 closed；可以变为：hold, planned"
    end = of_desk(IllegalMoveError("visit", "done", "moved", ()))
    assert isinstance(end.detail, Sentence)
    assert end.detail.in_("zh") == "done 之后没有其他状态"
    denial = of_desk(DenialError("liquid", ("liquid_inside",), "rule rests on evidence"))
    assert isinstance(denial.detail, Sentence)
    assert "liquid_inside" in denial.detail.in_("zh")
    assert denial.detail.in_("en") == "rule rests on evidence"
    assert of_desk(UnknownError("x")).kind == "not-found"
    assert of_desk(NeedsReasonError("say why")).detail == "say why"


def test_answers_are_in_the_askers_language(client: Inside, seeded: Seeded) -> None:
    auth = {"Authorization": f"Bearer {seeded.tokens['admin']}"}
    path = f"/v1/tickets/{seeded.ticket}/moves"
    for language, code, title, word in (
        (ZH, "zh-CN", "不允许的状态变更", "不能变为"),
        ("fr, en;q=0.1", "en", "Illegal move", "cannot become"),
        ("", "en", "Illegal move", "cannot become"),
    ):
        answer = client.request("POST", path, headers={**auth, "Accept-Language": language}, json={"to": "closed"})
        body = answer.json()
        assert (answer.status_code, answer.headers["content-language"]) == (409, code)
        assert answer.headers["vary"] == "Accept-Language"
        assert (body["title"], body["type"].rsplit("/", 1)[1]) == (title, "illegal-move")
        assert word in body["detail"]


def test_each_field_is_told_in_the_askers_language(client: Inside, seeded: Seeded) -> None:
    auth = {"Authorization": f"Bearer {seeded.tokens['dispatcher']}", "Accept-Language": ZH}
    path = f"/v1/tickets/{seeded.ticket}/moves"
    body = client.request("POST", path, headers=auth, json={"to": 1, "more": True, "reason": "x" * 501}).json()
    assert {each["where"]: each["what"] for each in body["errors"]} == {
        "body.to": "应为文本",
        "body.reason": "最多 500 个字符",
        "body.more": "没有这个字段",
    }
    assert body["detail"] == "body.to：应为文本; body.reason：最多 500 个字符; body.more：没有这个字段"


def test_a_share_that_is_used_up_says_when_to_go_on(client: Inside, seeded: Seeded) -> None:
    auth = {"Authorization": f"Bearer {seeded.tokens['read_only']}", "Accept-Language": ZH}
    answers = [client.request("GET", "/v1/clock", headers=auth) for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 429]
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].json()["detail"] == "此令牌的请求超出限额；请在 1 秒后继续"
