"""What runs on one machine, and the configuration the supervisor gets."""

from configparser import RawConfigParser
from pathlib import Path

import pytest

from deploy.local.kafka import Node, settings
from deploy.local.plan import SERVICES, Plan, Program, environment, processes
from deploy.local.secret import Secrets
from deploy.local.supervision import LONGEST_SOCKET, configuration, socket_for


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(tmp_path / "secrets")


def sections(programs: list[Program], folder: Path) -> RawConfigParser:
    parser = RawConfigParser()
    parser.read_string(configuration(programs, folder, folder / "s.sock"))
    return parser


def test_no_two_processes_share_a_port(tmp_path: Path) -> None:
    ports = Plan(data=tmp_path).ports()
    assert len(set(ports.values())) == len(ports)


def test_three_of_each_server_and_two_of_each_process_share_no_port(tmp_path: Path, secrets: Secrets) -> None:
    plan = Plan(data=tmp_path, brokers=3, members=3, each=2, doors=200)
    ports = plan.ports()
    assert len(set(ports.values())) == len(ports) == 1 + 2 * (2 * len(SERVICES) + 1) + 3 * 3
    doors = {*plan.mongo_ports, *(node.door for node in plan.nodes())}
    assert len(doors) == 6
    assert not doors & set(ports.values())
    names = [program.name for program in processes(plan, secrets)]
    assert len(set(names)) == len(names)
    assert {"relay", "relay-2", "complaints-api", "complaints-api-2"} <= set(names)


def test_who_stands_between_is_where_everybody_is_sent(tmp_path: Path, secrets: Secrets) -> None:
    plan = Plan(data=tmp_path, base=20_000, brokers=3, members=3, doors=200)
    told = environment(plan, secrets, "complaints")
    assert told["LINLI_KAFKA"] == "127.0.0.1:20290,127.0.0.1:20310,127.0.0.1:20330"
    assert told["LINLI_MONGO"] == "mongodb://127.0.0.1:20292,127.0.0.1:20312,127.0.0.1:20332/?replicaSet=rs0"
    first = settings(plan.nodes()[0], plan.nodes(), tmp_path)
    assert "advertised.listeners=PLAINTEXT://127.0.0.1:20290\n" in first
    assert "listeners=PLAINTEXT://127.0.0.1:20090,CONTROLLER://127.0.0.1:20091\n" in first


def test_given_servers_are_used_and_their_ports_left_alone(tmp_path: Path) -> None:
    plan = Plan(data=tmp_path, given_kafka="broker:9092", given_mongo="mongodb://db/?replicaSet=x")
    assert (plan.kafka, plan.mongo) == ("broker:9092", "mongodb://db/?replicaSet=x")
    assert not {"Kafka", "Kafka controller", "MongoDB"} & set(plan.ports())


def test_every_service_has_an_api_and_a_worker_and_one_relay_serves_all(tmp_path: Path, secrets: Secrets) -> None:
    names = [program.name for program in processes(Plan(data=tmp_path), secrets)]
    wanted = [f"{service}-{kind}" for service in SERVICES for kind in ("api", "worker")]
    assert sorted(names) == sorted([*wanted, "identity", "relay"])


def test_no_process_finds_the_client_secret_of_another(tmp_path: Path, secrets: Secrets) -> None:
    plan = Plan(data=tmp_path)
    own = environment(plan, secrets, "complaints")
    assert secrets.client("complaints") in own.values()
    assert secrets.client("directory") not in own.values()


def test_a_process_that_ends_is_started_again_for_ever(tmp_path: Path, secrets: Secrets) -> None:
    parsed = sections(processes(Plan(data=tmp_path), secrets), tmp_path)
    for service in SERVICES:
        section = parsed[f"program:{service}-worker"]
        assert section["autorestart"] == "true"
        assert int(section["startretries"]) >= 1_000_000


def test_our_processes_stop_before_the_servers_they_stand_on(tmp_path: Path) -> None:
    server = Program("kafka", ("java",), tmp_path / "k.log", is_server=True)
    process = Program("relay", ("python",), tmp_path / "r.log")
    parsed = sections([server, process], tmp_path)
    # supervisord stops in the reverse order of priority
    assert int(parsed["group:services"]["priority"]) > int(parsed["group:servers"]["priority"])


def test_a_path_with_spaces_and_percent_signs_survives_the_configuration(tmp_path: Path) -> None:
    program = Program("odd", ("/a b/python", "100%"), tmp_path / "o.log", {"KEY": "50%"})
    section = sections([program], tmp_path)["program:odd"]
    assert section["command"] == '"/a b/python" "100%%"'
    assert section["environment"] == 'KEY="50%%"'


def test_the_socket_of_a_long_path_lies_where_the_system_accepts_it(tmp_path: Path) -> None:
    assert socket_for(Path("/short")) == Path("/short/supervisor.sock")
    deep = tmp_path / ("x" * 120)
    assert len(str(socket_for(deep))) <= LONGEST_SOCKET
    assert socket_for(deep) != socket_for(deep / "other")


def test_one_broker_keeps_one_copy_and_three_keep_three() -> None:
    nodes = [Node(number, 9_000 + number, 9_100 + number) for number in (1, 2, 3)]
    alone, three = settings(nodes[0], nodes[:1], Path("/d")), settings(nodes[0], nodes, Path("/d"))
    assert "offsets.topic.replication.factor=1\n" in alone
    assert "offsets.topic.replication.factor=3\n" in three
    assert "min.insync.replicas=2\n" in three
    assert "auto.create.topics.enable=false\n" in alone


def test_secrets_stay_the_same_and_are_readable_by_their_owner_only(tmp_path: Path, secrets: Secrets) -> None:
    again = Secrets(tmp_path / "secrets")
    assert secrets.master_key == again.master_key
    assert secrets.lookup_key != secrets.master_key
    assert {file.stat().st_mode & 0o777 for file in secrets.folder.iterdir()} == {0o600}
    assert secrets.folder.stat().st_mode & 0o777 == 0o700
