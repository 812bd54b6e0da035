"""What Schemathesis is to look at besides its own checks; it loads this file by itself."""

from typing import Any

import schemathesis
from hypothesis import strategies as st

from services.chassis.texts.input import INPUT

MALFORMED = frozenset(
    {
        "filter-invalid", "filter-unknown", "idempotency-key-invalid", "idempotency-key-missing", "if-match-invalid",
        "json-key-repeated", "json-malformed", "json-too-deep", "limit-invalid", "media-type-unknown",
        "request-malformed",
    }
)  # fmt: skip
# Spaces around a text are taken away before it is measured, and a store holds no NUL: no contract can say either.
BEYOND_A_SCHEMA = frozenset({"text-too-short", "text-holds-nul"})


# A version in quotes: by itself Schemathesis keeps headers to letters and digits.
schemathesis.openapi.format("etag", st.integers(1, 10**18 - 1).map('"{}"'.format) | st.just("*"))


@schemathesis.check
def what_fits_the_contract_is_not_called_malformed(ctx: Any, response: Any, case: Any) -> None:
    """The domain may refuse what fits the contract (there is no such unit); the form of it is right."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 415, 422):
        return
    problem = response.json()
    assert problem["code"] not in MALFORMED, problem
    if problem["code"] == "input-invalid":
        told = {fault["code"] for fault in problem["errors"]}
        assert not told & (INPUT.keys() - BEYOND_A_SCHEMA), problem


@schemathesis.check
def every_trouble_is_told_in_a_sentence(ctx: Any, response: Any, case: Any) -> None:
    """A code alone tells nobody how to mend it."""
    if response.headers.get("content-type", [""])[0] != "application/problem+json":
        return
    problem = response.json()
    for told in (problem, *problem["errors"]):
        assert told["detail"] and told["detail"] != told["code"], problem
