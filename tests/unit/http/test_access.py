"""Whose token holds, and whose does not."""

import asyncio
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import digest as hmac
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.chassis.callers.access import FLOOR, REMEMBERED, Access
from services.chassis.callers.issuer import IssuerAway
from services.chassis.errors import Forbidden, Unauthenticated, Unavailable
from tests.unit.http.issuer import UNIT, TestIssuer
from tests.unit.http.sample import PERMISSIONS, settings_for


@pytest.fixture
async def access(issuer: TestIssuer) -> Any:
    access = Access(settings_for(issuer.url), PERMISSIONS)
    await access.refresh()
    yield access
    await access.stop()


async def refused(access: Access, token: str) -> str:
    with pytest.raises(Unauthenticated) as caught:
        await access.caller(b"Bearer " + token.encode())
    return caught.value.code


async def test_no_header_asks_to_sign_in(access: Access) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await access.caller(None)
    assert caught.value.code == "token-missing"


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Bearer",
        b"Bearer ",
        b"Basic dTpw",
        b"Bearer a.b",
        b"Bearer ...",
        b"Bearer \xff\xfe.a.b",
        b"Bearer " + b"a" * 9000,
        b"Bearer e30.e30.e30",
    ],
)
async def test_what_is_no_token_is_refused(access: Access, header: bytes) -> None:
    with pytest.raises(Unauthenticated):
        await access.caller(header)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", "HS256", "HS512", "RS512", "ES384", "PS256", "EdDSA"]
)
async def test_only_the_pinned_algorithms_are_believed(access: Access, issuer: TestIssuer, algorithm: str) -> None:
    for signature in (b"", b"x" * 64):
        assert await refused(access, issuer.handmade({"alg": algorithm, "kid": "first"}, signature)) == "token-invalid"


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256"])
async def test_a_true_signature_by_another_algorithm_is_not_believed(
    access: Access, issuer: TestIssuer, algorithm: str
) -> None:
    assert await refused(access, issuer.token({"alg": algorithm, "kid": "rsa"}, issuer.rsa)) == "token-invalid"


@pytest.mark.parametrize("form", ["pem", "jwk"])
async def test_the_public_key_is_no_shared_secret(access: Access, issuer: TestIssuer, form: str) -> None:
    public = issuer.rsa.as_pem(private=False) if form == "pem" else str(issuer.rsa.as_dict(private=False)).encode()
    unsigned = issuer.handmade({"alg": "HS256", "kid": "rsa"}).rpartition(".")[0]
    signature = urlsafe_b64encode(hmac(public, unsigned.encode(), sha256)).rstrip(b"=").decode()
    assert await refused(access, f"{unsigned}.{signature}") == "token-invalid"


async def test_a_key_of_another_kind_is_not_used(access: Access, issuer: TestIssuer) -> None:
    assert await refused(access, issuer.token({"alg": "RS256", "kid": "first"}, issuer.rsa)) == "token-invalid"
    assert await refused(access, issuer.token({"alg": "ES256", "kid": "rsa"}, issuer.key)) == "token-invalid"


async def test_a_strangers_signature_is_refused(access: Access, issuer: TestIssuer) -> None:
    assert await refused(access, issuer.token(key=ECKey.generate_key("P-256"))) == "token-invalid"
    assert await refused(access, issuer.token({"alg": "HS256"}, OctKey.generate_key(256))) == "token-invalid"


async def test_keys_that_a_token_brings_along_are_not_looked_at(access: Access, issuer: TestIssuer) -> None:
    own = ECKey.generate_key("P-256", parameters={"kid": "own"})
    for extra in ({"jku": f"{issuer.url}/keys"}, {"x5u": "http://127.0.0.1:1/x"}, {"jwk": own.as_dict(private=False)}):
        assert await refused(access, issuer.token({"kid": "own", **extra}, own)) == "token-invalid"
        assert await refused(access, issuer.token({"kid": "first", **extra}, own)) == "token-invalid"


@pytest.mark.parametrize("kid", [..., "", None, 7, ["first"], {"a": 1}, "../first", "first\x00", "FIRST", "a" * 5000])
async def test_tricks_with_the_key_id_are_refused(access: Access, issuer: TestIssuer, kid: Any) -> None:
    header = {"alg": "ES256"} if kid is ... else {"alg": "ES256", "kid": kid}
    assert await refused(access, issuer.handmade(header, b"x" * 64)) == "token-invalid"


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"b64": False, "crit": ["b64"]}])
async def test_extensions_that_must_be_understood_are_refused(
    access: Access, issuer: TestIssuer, header: dict[str, Any]
) -> None:
    assert await refused(access, issuer.handmade({"alg": "ES256", "kid": "first", **header}, b"x" * 64))


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://elsewhere"},
        {"iss": ...},
        {"aud": "other"},
        {"aud": ...},
        {"aud": ["other"]},
        {"aud": None},
        {"exp": ...},
        {"exp": "soon"},
        {"exp": True},
        {"nbf": time.time() + 3600},
        {"nbf": "now"},
        {"sub": ...},
        {"sub": ""},
        {"sub": 5},
        {"sub": "a\x00b"},
        {"sub": "a" * 300},
        {"roles": "recorder"},
        {"roles": [1]},
    ],
    ids=str,
)
async def test_claims_that_do_not_fit_are_refused(access: Access, issuer: TestIssuer, claims: dict[str, Any]) -> None:
    assert await refused(access, issuer.token(**claims)) == "token-invalid"


async def test_an_expired_token_says_so(access: Access, issuer: TestIssuer) -> None:
    assert await refused(access, issuer.token(exp=time.time() - 31)) == "token-expired"


@pytest.mark.parametrize("unit", [..., "", None, 0, [], ["unit_a"], {"$gt": ""}, "a\x00b"])
async def test_a_token_without_one_unit_never_means_every_unit(access: Access, issuer: TestIssuer, unit: Any) -> None:
    with pytest.raises(Forbidden) as caught:
        await access.caller(b"Bearer " + issuer.token(unit=unit).encode())
    assert caught.value.code == "unit-missing"


async def test_clocks_may_differ_a_little(access: Access, issuer: TestIssuer) -> None:
    early = issuer.token(nbf=time.time() + 20, exp=time.time() + 60)
    late = issuer.token(exp=time.time() - 20)
    for token in (early, late):
        assert (await access.caller(b"Bearer " + token.encode())).unit == UNIT


async def test_both_pinned_algorithms_hold_and_roles_become_permissions(access: Access, issuer: TestIssuer) -> None:
    rsa = await access.caller(b"bearer " + issuer.token({"alg": "RS256", "kid": "rsa"}, issuer.rsa).encode())
    elliptic = await access.caller(
        b"Bearer " + issuer.token(roles=["reader", "unheard-of"], aud=["x", "linli"]).encode()
    )
    assert rsa.permissions == {"case.record", "case.read"}
    assert elliptic.permissions == {"case.read"}
    assert elliptic.roles == {"reader", "unheard-of"}
    assert (await access.caller(b"Bearer " + issuer.token(roles=...).encode())).permissions == frozenset()


async def test_a_known_token_is_not_checked_again_until_it_expires(issuer: TestIssuer) -> None:
    now = time.time()
    access = Access(settings_for(issuer.url), PERMISSIONS, now=lambda: now)
    await access.refresh()
    header = b"Bearer " + issuer.token(exp=now + 60).encode()
    assert access.known(header) is None
    caller = await access.caller(header)
    assert access.known(header) is caller
    assert header[7:] not in repr(access._known).encode(), "only the hash is remembered"
    now += 61
    assert access.known(header) is None
    await access.stop()


async def test_what_is_remembered_is_bounded(access: Access, issuer: TestIssuer) -> None:
    caller = await access.caller(b"Bearer " + issuer.token().encode())
    for number in range(REMEMBERED + 10):
        access._remember(b"%d" % number, caller, time.time() + 600)
    assert len(access._known) <= REMEMBERED


async def test_a_withdrawn_key_takes_its_tokens_with_it(access: Access, issuer: TestIssuer) -> None:
    header = b"Bearer " + issuer.token().encode()
    await access.caller(header)
    issuer.published.remove(issuer.key)
    await access.refresh()
    assert access.known(header) is None
    with pytest.raises(Unauthenticated):
        await access.caller(header)


async def test_a_new_key_is_fetched_when_it_is_first_seen(issuer: TestIssuer) -> None:
    now = time.time()
    access = Access(settings_for(issuer.url), PERMISSIONS, now=lambda: now)
    await access.refresh()
    fresh = ECKey.generate_key("P-256", parameters={"kid": "second"})
    issuer.published.append(fresh)
    header = b"Bearer " + issuer.token({"kid": "second"}, fresh).encode()
    with pytest.raises(Unauthenticated):
        await access.caller(header)  # within the floor: strangers must not make us ask all the time
    now += FLOOR
    assert (await access.caller(header)).sub == "worker-1"
    await access.stop()


async def test_unknown_keys_ask_the_issuer_once_and_not_at_every_request(issuer: TestIssuer) -> None:
    now = time.time()
    access = Access(settings_for(issuer.url), PERMISSIONS, now=lambda: now)
    await access.refresh()
    now += FLOOR
    before = issuer.asked
    strange = [issuer.handmade({"alg": "ES256", "kid": f"made-up-{n}"}, b"x" * 64).encode() for n in range(20)]
    answers = await asyncio.gather(*(access.caller(b"Bearer " + one) for one in strange), return_exceptions=True)
    assert all(isinstance(answer, Unauthenticated) for answer in answers)
    assert issuer.asked == before + 1
    await access.stop()


async def test_while_the_issuer_is_away_from_the_start_callers_are_told_to_wait(issuer: TestIssuer) -> None:
    issuer.away = True
    access = Access(settings_for(issuer.url), PERMISSIONS)
    await access.start()
    header = b"Bearer " + issuer.token().encode()
    with pytest.raises(Unavailable) as caught:
        await access.caller(header)
    assert caught.value.retry_after
    ready, reason = access.ready()
    assert not ready and reason
    issuer.away = False
    async with asyncio.timeout(5):
        while not access.ready()[0]:  # noqa: ASYNC110 nothing tells when a background fetch is over
            await asyncio.sleep(0.01)
    assert await access.caller(header)
    await access.stop()


async def test_old_keys_stay_good_while_the_issuer_is_away(access: Access, issuer: TestIssuer) -> None:
    issuer.away = True
    with pytest.raises(IssuerAway):
        await access.refresh()
    assert access.ready() == (True, "")
    assert await access.caller(b"Bearer " + issuer.token().encode())


@pytest.mark.parametrize(
    "overrides",
    [{"issuer": "http://elsewhere"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": 5}, {"token_endpoint": None}],
)
async def test_a_discovery_document_that_does_not_fit_is_not_used(
    issuer: TestIssuer, overrides: dict[str, Any]
) -> None:
    issuer.overrides = overrides
    access = Access(settings_for(issuer.url), PERMISSIONS)
    with pytest.raises(IssuerAway):
        await access.refresh()
    await access.stop()


@pytest.mark.filterwarnings("ignore:Key size")
async def test_keys_that_are_weak_or_for_something_else_are_left_out(issuer: TestIssuer) -> None:
    weak = RSAKey.generate_key(1024, parameters={"kid": "weak"})
    sealing = RSAKey.generate_key(2048, parameters={"kid": "sealing"})
    issuer.published.append(weak)
    issuer.extra = [
        sealing.as_dict(private=False) | {"use": "enc"},
        {"kid": "odd", "kty": "oct", "k": "c2VjcmV0"},
        {"kid": "broken", "kty": "EC", "crv": "P-256"},
        {"kty": "RSA"},
        "no key",
        None,
    ]
    access = Access(settings_for(issuer.url), PERMISSIONS)
    await access.refresh()
    assert set(access._keys) == {"first", "rsa"}
    await access.stop()
