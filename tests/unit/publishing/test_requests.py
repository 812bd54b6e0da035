"""Requests to republish are taken when Kafka answers; that it does not answer ends nothing."""

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pymongo import MongoClient

from deploy.local.ports import HOST, free_ports
from services.chassis.aggregate import Service
from services.chassis.publishing import republish
from services.chassis.publishing.publisher import Publisher
from services.chassis.publishing.republish import Requests
from services.chassis.settings import Settings
from services.chassis.storage.lease import Held

SERVICE = Service("sample", (), (), {}, {})


def test_while_no_broker_answers_requests_are_waited_for_until_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(republish, "CONNECT_MS", 100)
    tried = threading.Semaphore(0)
    monkeypatch.setattr(republish.LOG, "warning", lambda *_, **__: tried.release())
    [port] = free_ports(1)
    settings = Settings(service="sample", kafka=f"{HOST}:{port}", mongo="")
    nobody = cast(Publisher, SimpleNamespace(window=lambda done: None, forget=lambda window: None))
    mongo: MongoClient[dict[str, Any]] = MongoClient(connect=False)
    stop, failed = threading.Event(), []
    requests = Requests(settings, SERVICE, mongo, nobody, stop, Held("relay", 1, time.monotonic(), 600.0))

    def run() -> None:
        try:
            requests.run()
        except Exception as error:  # noqa: BLE001 - told by the test
            failed.append(error)
            tried.release(2)

    taking = threading.Thread(target=run)
    taking.start()
    assert all(tried.acquire(timeout=30) for _ in range(2)) and not failed
    stop.set()
    taking.join(30)
    assert not taking.is_alive() and not failed
