"""Nobody sees another district, and nobody is believed who should not be."""

from tests.sabotage.sabotage import Sabotage

PROMISE = "nobody sees another district"
ACCESS = "services/chassis/callers/access.py"
TOKENS = "tests/unit/http/test_access.py"

SABOTAGES = (
    Sabotage(
        name="drop-the-scope-filter",
        promise=PROMISE,
        what="Queries for a caller are not bound to the caller's unit.",
        file="services/chassis/storage/queries.py",
        old='return {"scope": scope, **query}',
        new="return dict(query)",
        tests=(
            "tests/integration/history/test_history.py::test_a_caller_of_another_district_finds_nothing[motor]",
            "tests/integration/http/test_requests.py::test_a_caller_of_another_district_finds_nothing_on_any_route",
        ),
        shows=r"DID NOT RAISE.*NotFound|assert 200 == 404",
    ),
    Sabotage(
        name="figures-without-scope",
        promise=PROMISE,
        what="Figures and their subjects are counted over other districts' records, too.",
        file="services/insight/queries.py",
        old='match["scope"] = span.scope',
        new='match["tree"] = span.unit',
        tests=("tests/integration/insight/test_figures.py::test_a_figure_of_one_unit_never_mixes_in_anothers",),
        shows=r"assert \d+ == 0",
    ),
    Sabotage(
        name="token-without-audience-check",
        promise=PROMISE,
        what="A token that was issued for another system is believed.",
        file=ACCESS,
        old=" or self._audience not in audiences:",
        new=":",
        tests=(f"{TOKENS}::test_claims_that_do_not_fit_are_refused",),
        shows=r"DID NOT RAISE.*Unauthenticated",
    ),
    Sabotage(
        name="algorithm-not-pinned",
        promise=PROMISE,
        what="A token chooses the algorithm by which it is checked.",
        file=ACCESS,
        old='ALGORITHMS = {"ES256": "EC", "RS256": "RSA"}',
        new='ALGORITHMS = {"ES256": "EC", "RS256": "RSA", "RS384": "RSA", "RS512": "RSA", "PS256": "RSA"}',
        tests=(f"{TOKENS}::test_a_true_signature_by_another_algorithm_is_not_believed",),
        shows=r"DID NOT RAISE.*Unauthenticated",
    ),
    Sabotage(
        name="token-without-a-unit",
        promise=PROMISE,
        what="A token that names no unit is believed.",
        file=ACCESS,
        old="elif not _is_name(unit):",
        new="elif unit is not None and not _is_name(unit):",
        tests=(f"{TOKENS}::test_a_token_without_one_unit_never_means_every_unit",),
        shows=r"DID NOT RAISE.*Forbidden",
    ),
)
