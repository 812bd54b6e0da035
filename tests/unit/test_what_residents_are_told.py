"""Residents read plain sentences: no word of what only staff know or can do."""

from typing import Any

import pytest

from services.chassis.http import Application
from services.chassis.texts import Texts, faults
from services.chassis.texts.chassis import CHASSIS
from services.chassis.texts.input import INPUT
from services.chassis.texts.kernel import KERNEL
from services.chassis.texts.public import PUBLIC
from tests.unit.test_routes_say_who_may_call import NAMES, service

OPEN = [name for name in NAMES if any(served.is_public for served in Application(service(name)).table.served)]
FOR_STAFF = (
    "管辖", "管理员", "辖区", "本区", "发布", "令牌", "凭证", "标识", "角色", "Idempotency", "If-Match", "JSON",
    "{key}", "administrator", "your scope", "publish", "district", "token", "policy", "role", "ETag",
)  # fmt: skip
# Met only with an account, or where one is needed: nobody raises them on a route that is open to all.
NEVER_PUBLIC = {
    "token-missing", "token-invalid", "token-expired", "unit-missing", "if-match-invalid",  # who signs in, and If-Match
    "merge-across-districts", "workflow-step-without-role",  # registers and policies
    "document-not-draft", "document-not-released", "subject-releases", "releaser-missing",  # released by staff
    "channel-unknown", "party-cannot-see",  # a resident chooses no channel (see online-not-open) and no handler
    "line-unknown", "unit-elsewhere", "volunteer-unknown", "resident-unknown",  # they only follow orders
}  # fmt: skip


def words_for_staff(text: Any) -> list[str]:
    return [word for word in FOR_STAFF if word in text.zh + text.en]


def told(own: Any) -> dict[str, Any]:
    return {**CHASSIS, **INPUT, **KERNEL, **own.texts, **PUBLIC, **own.public_texts}


def test_the_services_that_residents_reach_are_known() -> None:
    assert OPEN == ["complaints", "volunteers"]


@pytest.mark.parametrize("name", OPEN)
def test_no_sentence_for_residents_speaks_of_what_only_staff_know(name: str) -> None:
    spoken = {code: words for code, text in told(service(name)).items() if (words := words_for_staff(text))}
    assert spoken.keys() - NEVER_PUBLIC == set()


@pytest.mark.parametrize("name", OPEN)
def test_no_sentence_for_residents_is_left_with_a_gap(name: str) -> None:
    own = service(name)
    assert faults({**PUBLIC, **own.public_texts}) == []
    texts = Texts(own.texts, own.public_texts)
    for code in {**PUBLIC, **own.public_texts}:
        assert "…" not in texts.detail(code, "zh", {}, public=True), code


def test_the_same_code_keeps_its_status_for_everybody() -> None:
    own = service("complaints")
    texts = Texts(own.texts, own.public_texts)
    assert texts.status("unit-unknown") == 422
    assert texts.detail("unit-unknown", "zh", {}, public=True) != texts.detail("unit-unknown", "zh", {})
