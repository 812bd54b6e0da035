"""Tokens made with more craft than those of ``test_access``: rightly signed where that helps the forger."""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from hmac import digest as hmac
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from services.chassis.callers.access import LONGEST, Access, Caller
from services.chassis.errors import Forbidden, Unauthenticated
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


async def taken(access: Access, token: str) -> Caller:
    return await access.caller(b"Bearer " + token.encode())


def coded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def signed(issuer: TestIssuer, payload: bytes, header: dict[str, Any] | None = None, key: Any = None) -> str:
    """Any payload, rightly signed by the issuer's key unless another is given."""
    head = {"alg": "ES256", "kid": "first", **(header or {})}
    return jws.serialize_compact(head, payload, key or issuer.key, algorithms=["ES256", "RS256", "HS256"])


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null", "/proc/self/environ", "http://127.0.0.1:1/keys", "file:///etc/passwd",
        "first' OR '1'='1", "first\x00", " first", "first ", "First", "rsa", "second", "0", "null", "__proto__",
    ],
)  # fmt: skip
async def test_no_key_is_found_by_a_trick_with_its_id_however_right_the_signature(
    access: Access, issuer: TestIssuer, kid: str
) -> None:
    before = issuer.asked
    assert await refused(access, signed(issuer, json.dumps(issuer.claims()).encode(), {"kid": kid})) == "token-invalid"
    assert issuer.asked - before <= 1, "the issuer is asked for its keys, and nobody else for anything"


@pytest.mark.parametrize("kid", [None, 7, True, ["first"], {"first": 1}])
async def test_an_id_that_is_no_text_finds_no_key(access: Access, issuer: TestIssuer, kid: Any) -> None:
    claims = json.dumps(issuer.claims()).encode()
    unsigned = f"{coded(json.dumps({'alg': 'ES256', 'kid': kid}).encode())}.{coded(claims)}"
    signature = signed(issuer, claims).rpartition(".")[2]
    assert await refused(access, f"{unsigned}.{signature}") == "token-invalid"


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
@pytest.mark.parametrize("kid", ["first", "own", ...])
async def test_a_key_brought_along_signs_nothing(
    access: Access, issuer: TestIssuer, name: str, kid: Any
) -> None:
    own = ECKey.generate_key("P-256", parameters={"kid": "own"})
    brought = {
        "jwk": own.as_dict(private=False), "jku": f"{issuer.url}/keys", "x5u": f"{issuer.url}/keys", "x5c": ["MIIB"],
    }[name]  # fmt: skip
    issuer.extra = [own.as_dict(private=False)]  # what the header points at would even hold the key
    header = {"alg": "ES256", "kid": kid, name: brought} if kid is not ... else {"alg": "ES256", name: brought}
    unsigned = f"{coded(json.dumps(header).encode())}.{coded(json.dumps(issuer.claims()).encode())}"
    signature = signed(issuer, json.dumps(issuer.claims()).encode(), key=own).rpartition(".")[2]
    assert await refused(access, f"{unsigned}.{signature}") == "token-invalid"


@pytest.mark.parametrize("secret", ["pem", "der", "x", "jwk"])
async def test_the_public_elliptic_key_is_no_shared_secret_either(
    access: Access, issuer: TestIssuer, secret: str
) -> None:
    public = issuer.key.as_dict(private=False)
    shared = {
        "pem": issuer.key.as_pem(private=False), "der": issuer.key.as_der(private=False), "x": public["x"].encode(),
        "jwk": json.dumps(public).encode(),
    }[secret]  # fmt: skip
    unsigned = issuer.handmade({"alg": "HS256", "kid": "first"}).rpartition(".")[0]
    signature = coded(hmac(shared, unsigned.encode(), sha256))
    assert await refused(access, f"{unsigned}.{signature}") == "token-invalid"


@pytest.mark.parametrize("signature", [b"", b"\x00" * 64, b"\xff" * 64, b"\x30\x06\x02\x01\x00\x02\x01\x00", b"\x00"])
async def test_a_signature_of_nothing_signs_nothing(access: Access, issuer: TestIssuer, signature: bytes) -> None:
    for kid, algorithm in (("first", "ES256"), ("rsa", "RS256")):
        token = issuer.handmade({"alg": algorithm, "kid": kid}, signature)
        assert await refused(access, token) == "token-invalid"


async def test_a_payload_that_was_changed_is_refused(access: Access, issuer: TestIssuer) -> None:
    head, _, signature = issuer.token().split(".")
    for changed in ({"roles": ["recorder", "reader"]}, {"unit": "unit_elsewhere"}, {"sub": "worker-2"}):
        other = coded(json.dumps(issuer.claims(**changed)).encode())
        assert await refused(access, f"{head}.{other}.{signature}") == "token-invalid"


@pytest.mark.parametrize(
    "form", ["{0}.{1}.{2}.", "{0}.{1}.{2}.x", "{0}.{1}.{2}.{2}.{2}", "{0}.{1}", "{0}..{2}", ".{1}.{2}"]
)
async def test_a_token_of_another_shape_is_refused(access: Access, issuer: TestIssuer, form: str) -> None:
    assert await refused(access, form.format(*issuer.token().split("."))) == "token-invalid"


@pytest.mark.parametrize(
    "head",
    [
        b'{"alg":"none","alg":"ES256","kid":"first","kid":"other"}',
        b'{"alg":["ES256"],"kid":"first"}',
        b'{"alg":{"ES256":1},"kid":"first"}',
        b'["ES256","first"]',
        b'"ES256"',
        b"null",
        b"{",
        b"\xff",
        b'{"alg":"ES256","kid":"first","b64":false,"crit":["b64"]}',
        b'{"alg":"ES256","kid":"first"' + b',"x":1' * 2000 + b"}",
        b"[" * 3000,
    ],
    ids=lambda head: str(head[:30]),
)
async def test_a_head_that_no_issuer_writes_is_refused(access: Access, issuer: TestIssuer, head: bytes) -> None:
    _, payload, signature = issuer.token().split(".")
    assert await refused(access, f"{coded(head)}.{payload}.{signature}") == "token-invalid"


@pytest.mark.parametrize(
    "payload", [b"", b"null", b"[]", b"7", b'"text"', b"{", b"\xff\xfe", b'{"exp": NaN}', b"[" * 2000, b"{}"]
)
async def test_a_signed_payload_that_is_no_set_of_claims_is_refused(
    access: Access, issuer: TestIssuer, payload: bytes
) -> None:
    assert await refused(access, signed(issuer, payload)) == "token-invalid"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 0}, "token-expired"),
        ({"exp": -(2**70)}, "token-expired"),
        ({"exp": 1e300, "nbf": 1e300}, "token-invalid"),
        ({"exp": [9999999999]}, "token-invalid"),
        ({"exp": "9999999999"}, "token-invalid"),
        ({"nbf": None}, "token-invalid"),
        ({"nbf": {"$lt": 1}}, "token-invalid"),
        ({"iss": ["http://elsewhere"]}, "token-invalid"),
        ({"aud": {"linli": 1}}, "token-invalid"),
        ({"aud": "linli-staging"}, "token-invalid"),
        ({"aud": ["LINLI"]}, "token-invalid"),
        ({"aud": []}, "token-invalid"),
        ({"sub": ["worker-1"]}, "token-invalid"),
        ({"sub": "a\nb"}, "token-invalid"),
        ({"roles": {"recorder": True}}, "token-invalid"),
        ({"roles": "recorder,service"}, "token-invalid"),
        ({"roles": None}, "token-invalid"),
        ({"roles": [["recorder"]]}, "token-invalid"),
        ({"roles": ["recorder", None]}, "token-invalid"),
        ({"roles": 1}, "token-invalid"),
    ],
    ids=str,
)
async def test_claims_of_a_wrong_kind_are_refused_though_rightly_signed(
    access: Access, issuer: TestIssuer, claims: dict[str, Any], code: str
) -> None:
    assert await refused(access, signed(issuer, json.dumps(issuer.claims(**claims)).encode())) == code


async def test_the_issuer_is_this_one_to_the_letter(access: Access, issuer: TestIssuer) -> None:
    for other in (issuer.url + "/", issuer.url.upper(), issuer.url + "#", issuer.url.replace("127.0.0.1", "localhost")):
        assert await refused(access, issuer.token(iss=other)) == "token-invalid"


async def test_a_name_of_a_role_gives_no_more_than_the_table_says(access: Access, issuer: TestIssuer) -> None:
    for roles in (["*"], ["admin"], ["Recorder"], ["recorder "], ["recorder\x00"], ["case.record"], [""]):
        assert (await taken(access, issuer.token(roles=roles))).permissions == frozenset()


@pytest.mark.parametrize("unit", [True, 1.5, {"$ne": ""}, ["unit_a", "unit_b"], "unit_a\nunit_b", "x" * 300])
async def test_a_unit_that_is_no_name_is_no_unit(access: Access, issuer: TestIssuer, unit: Any) -> None:
    with pytest.raises(Forbidden):
        await taken(access, issuer.token(unit=unit))


async def test_a_token_names_its_unit_and_no_header_names_another(access: Access, issuer: TestIssuer) -> None:
    caller = await taken(access, issuer.token(roles=["recorder", "service"]))
    assert caller.acting_for(b"unit_elsewhere").unit == UNIT


@pytest.mark.parametrize(
    "unit", [None, b"", b"*", b"$ne", b"unit_a,unit_b", b"unit_a\x00", b"a" * 200, b"\xff", b"../x"]
)
async def test_a_service_acts_for_one_unit_that_its_call_names_well(
    access: Access, issuer: TestIssuer, unit: bytes | None
) -> None:
    caller = await taken(access, issuer.token(roles=["service"], unit=...))
    with pytest.raises(Forbidden):
        caller.acting_for(unit)


async def test_a_huge_token_is_refused_unread_though_rightly_signed(access: Access, issuer: TestIssuer) -> None:
    fits = issuer.token(roles=["reader"] * 100)
    assert (await taken(access, fits)).permissions == {"case.read"}
    huge = issuer.token(roles=["reader"] * 2000)
    assert len(huge) > LONGEST
    assert await refused(access, huge) == "token-invalid"


async def test_a_key_of_the_issuers_that_is_for_something_else_signs_nothing(issuer: TestIssuer) -> None:
    sealing, other_curve = RSAKey.generate_key(2048, parameters={"kid": "sealing"}), ECKey.generate_key("P-384")
    issuer.extra = [
        sealing.as_dict(private=False) | {"use": "enc"},
        other_curve.as_dict(private=False) | {"kid": "wide"},
        {"kid": "shared", "kty": "oct", "k": coded(b"secret" * 8), "alg": "HS256"},
    ]
    access = Access(settings_for(issuer.url), PERMISSIONS)
    await access.refresh()
    claims = json.dumps(issuer.claims()).encode()
    for header, key in (
        ({"alg": "RS256", "kid": "sealing"}, sealing),
        ({"alg": "HS256", "kid": "shared"}, OctKey.import_key(b"secret" * 8)),
    ):
        assert await refused(access, signed(issuer, claims, header, key)) == "token-invalid"
    await access.stop()
