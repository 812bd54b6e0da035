"""The embedded servers: real ones, that keep what was written through kills, pauses and other ports."""

from pathlib import Path

import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from pymongo import MongoClient
from pymongo.errors import ServerSelectionTimeoutError

from deploy.local.servers import Ports, Servers, embedded
from deploy.local.trouble import Trouble


def write(servers: Servers, name: str) -> None:
    with MongoClient(servers.mongo, w="majority") as client:
        client.trial.things.insert_one({"_id": name})


def read(servers: Servers) -> list[str]:
    with MongoClient(servers.mongo) as client:
        return sorted(row["_id"] for row in client.trial.things.find())


def topics(servers: Servers) -> list[str]:
    admin = KafkaAdminClient(bootstrap_servers=servers.kafka)
    try:
        return sorted(admin.list_topics())
    finally:
        admin.close()


def make_topic(servers: Servers, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=servers.kafka)
    try:
        admin.create_topics([NewTopic(name=name, num_partitions=1, replication_factor=1)])
    finally:
        admin.close()


def test_what_was_written_is_there_after_a_kill_and_after_a_move_to_other_ports(tmp_path: Path) -> None:
    with embedded(tmp_path) as servers:
        write(servers, "before the kill")
        make_topic(servers, "before-the-kill")
        for server in (servers.brokers[0], servers.members[0]):
            server.kill()
            server.start()
        servers.wait_ready()
        assert read(servers) == ["before the kill"]
        write(servers, "after the kill")
        first_address = servers.mongo
    with embedded(tmp_path, ports=Ports.free(1, 1)) as moved:
        assert moved.mongo != first_address
        assert read(moved) == ["after the kill", "before the kill"]
        assert "before-the-kill" in topics(moved)


def test_the_folder_of_living_servers_is_refused_to_another(tmp_path: Path) -> None:
    with (
        embedded(tmp_path, kafka_brokers=0),
        pytest.raises(Trouble, match="in use by a running program"),
        embedded(tmp_path, kafka_brokers=0),
    ):
        pytest.fail("two programs serve the same folder")


def test_three_members_elect_another_primary_when_theirs_is_killed(tmp_path: Path) -> None:
    with embedded(tmp_path, mongo_members=3, kafka_brokers=0, mongo_cache_gb=0.25) as servers:
        write(servers, "by the first primary")
        fallen = servers.primary()
        fallen.kill()
        assert servers.primary() is not fallen
        write(servers, "by the second primary")
        fallen.start()
        servers.wait_ready()
        assert read(servers) == ["by the first primary", "by the second primary"]


def test_a_paused_member_answers_nobody_until_it_is_resumed(tmp_path: Path) -> None:
    with embedded(tmp_path, kafka_brokers=0) as servers:
        servers.members[0].pause()
        with (
            MongoClient(servers.mongo, serverSelectionTimeoutMS=500, connectTimeoutMS=500) as client,
            pytest.raises(ServerSelectionTimeoutError),
        ):
            client.admin.command("ping")
        servers.members[0].resume()
        servers.wait_ready()
