"""The clients of MongoDB, before they connect."""

import pytest

from services.chassis.storage.driver import connect

URI = "mongodb://127.0.0.1:1/?replicaSet=rs0"


@pytest.mark.parametrize("which", ["requests", "vault", "blocking"])
async def test_no_client_waits_for_ever_on_a_connection_that_the_server_has_forgotten(which: str) -> None:
    client = connect(URI)
    raw = {"requests": lambda: client.raw, "vault": client.vault, "blocking": client.blocking}[which]()
    pool = raw.options.pool_options
    try:
        assert pool.socket_timeout and pool.socket_timeout <= 20
        assert pool.connect_timeout and pool.connect_timeout <= 3
    finally:
        closing = raw.close()
        if closing is not None:
            await closing
