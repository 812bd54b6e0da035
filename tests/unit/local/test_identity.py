"""The embedded identity provider: who gets a token, who does not, and what a token says."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from deploy.local.identity import LIFETIME, Provider, accounts, application, signing_key
from deploy.local.secret import Secrets

ISSUER = "http://127.0.0.1:8100"


@pytest.fixture
def provider(tmp_path: Path) -> Provider:
    clients = {"directory": "its-secret", "": ""}
    return Provider(ISSUER, "linli", signing_key(Secrets(tmp_path)), clients, accounts())


@pytest.fixture
def client(provider: Provider) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(application(provider)), base_url=ISSUER)


async def claims(client: httpx.AsyncClient, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set((await client.get("/jwks")).json())
    return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password", "username": "worker-c1", "password": "wrong"}, 400, "invalid_grant"),
        ({"grant_type": "password", "username": "nobody", "password": "linli-demo"}, 400, "invalid_grant"),
        ({"grant_type": "client_credentials", "client_id": "directory", "client_secret": "x"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "stranger", "client_secret": ""}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
async def test_no_token_without_the_right_pair(
    client: httpx.AsyncClient, form: dict[str, str], status: int, error: str
) -> None:
    answer = await client.post("/token", data=form)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


async def test_a_broken_basic_header_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/token", data={"grant_type": "client_credentials"}, headers={"Authorization": "Basic %%%"}
    )
    assert answer.status_code == 401


async def test_an_account_gets_its_roles_and_its_unit(client: httpx.AsyncClient) -> None:
    form = {"grant_type": "password", "username": "worker-c1", "password": "linli-demo"}
    token = (await client.post("/token", data=form)).json()["access_token"]
    said = await claims(client, token)
    assert (said["iss"], said["aud"]) == (ISSUER, "linli")
    assert (said["sub"], said["roles"], said["unit"]) == ("usr_demo-worker-c1", ["community-worker"], "unit_demo-c1")
    assert said["exp"] - said["iat"] == LIFETIME
    assert said["nbf"] == said["iat"] and said["jti"]


async def test_a_service_gets_a_token_in_its_own_name(client: httpx.AsyncClient) -> None:
    answer = await client.post("/token", data={"grant_type": "client_credentials"}, auth=("directory", "its-secret"))
    said = await claims(client, answer.json()["access_token"])
    assert (said["azp"], said["roles"]) == ("directory", ["service"])


async def test_every_answer_says_that_it_is_not_for_production(client: httpx.AsyncClient) -> None:
    for page in ("/.well-known/openid-configuration", "/jwks", "/accounts", "/ready", "/nothing-here"):
        assert "not for production" in (await client.get(page)).headers["Linli-Warning"]


async def test_the_private_key_is_never_published(client: httpx.AsyncClient) -> None:
    (key,) = (await client.get("/jwks")).json()["keys"]
    assert "d" not in key
    assert key["alg"] == "ES256"


def test_the_key_survives_a_restart(tmp_path: Path) -> None:
    assert signing_key(Secrets(tmp_path)).thumbprint() == signing_key(Secrets(tmp_path)).thumbprint()


def test_every_demonstration_account_has_a_role_and_a_unit_of_its_own_district() -> None:
    known = accounts()
    assert len({account.account for account in known}) == len(known) == len({account.sub for account in known})
    assert all(account.roles and account.unit.startswith("unit_demo-") for account in known)
