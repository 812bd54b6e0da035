"""What a user is told when the machine is not fit: one sentence in each language, with what to do."""

import socket
from pathlib import Path

import pytest

from deploy.local import mongo
from deploy.local.install import explain_pip, forget_half_installed
from deploy.local.machine import require_platform, require_python, require_space
from deploy.local.ports import HOST, answers, free_ports, is_free, require_free
from deploy.local.servers import did_not_start
from deploy.local.trouble import Trouble


def test_an_old_python_is_refused_with_what_to_install() -> None:
    with pytest.raises(Trouble, match=r"3\.11 or later is needed; install it"):
        require_python((3, 10))
    require_python((3, 11))
    require_python((3, 14))


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Darwin", "x86_64"), ("Linux", "aarch64")])
def test_a_platform_without_mongodb_is_pointed_to_servers_of_its_own(system: str, machine: str) -> None:
    with pytest.raises(Trouble, match="LINLI_MONGO and LINLI_KAFKA"):
        require_platform(system, machine)


def test_linux_on_x86_is_served() -> None:
    require_platform("Linux", "x86_64")


def test_a_full_disk_is_told_with_what_is_needed_and_what_is_left(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match=r"needs 1000000000 MB and \d+ MB are free; make room"):
        require_space(tmp_path, 1_000_000_000)
    require_space(tmp_path, 0)


def test_a_taken_port_is_named_with_who_needs_it() -> None:
    with socket.create_server((HOST, 0)) as holder:
        port = holder.getsockname()[1]
        assert answers(port) and not is_free(port)
        with pytest.raises(Trouble, match=f"Port {port}, needed by Kafka, is taken.*LINLI_PORT_BASE"):
            require_free({"Kafka": port})
    require_free({"Kafka": port})


def test_free_ports_are_distinct_and_outside_the_range_of_client_ports() -> None:
    ports = free_ports(20)
    assert len(set(ports)) == 20
    assert all(port < 32_000 and is_free(port) for port in ports)


def test_a_missing_library_is_named_with_its_package(tmp_path: Path) -> None:
    stand_in = tmp_path / "mongod"
    complaint = "mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file"
    stand_in.write_text(f"#!/bin/sh\necho '{complaint}' >&2\nexit 127\n")
    stand_in.chmod(0o755)
    with pytest.raises(Trouble, match=r"needs the library libcurl\.so\.4.*sudo apt-get install libcurl4"):
        mongo.require_runs(stand_in)


def test_a_binary_that_the_system_cannot_run_points_to_an_address_of_ones_own(tmp_path: Path) -> None:
    stand_in = tmp_path / "mongod"
    stand_in.write_bytes(b"\x7fELF of another machine")
    stand_in.chmod(0o755)
    with pytest.raises(Trouble, match="LINLI_MONGO"):
        mongo.require_runs(stand_in)


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("OSError: [Errno 28] No space left on device", "The disk became full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "was refused"),
        ("NewConnectionError: Failed to establish a new connection", "out of reach"),
        ("ERROR: No matching distribution found for x", "No matching distribution found for x"),
    ],
)
def test_what_pip_says_is_told_in_one_sentence(output: str, told: str) -> None:
    trouble = explain_pip(output)
    assert told in trouble.en
    assert len(trouble.en.splitlines()) == 1


def test_a_package_whose_installation_was_cut_off_is_installed_again(tmp_path: Path) -> None:
    for name in ("whole-1.0.dist-info", "half-1.0.dist-info"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "METADATA").touch()
    (tmp_path / "whole-1.0.dist-info" / "RECORD").touch()
    forget_half_installed(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == ["whole-1.0.dist-info"]


def test_a_server_that_found_the_disk_full_says_so(tmp_path: Path) -> None:
    assert "disk is full" in did_not_start("Kafka", tmp_path, "java.io.IOException: No space left on device").en


def test_an_address_is_shown_without_its_password() -> None:
    assert (
        mongo.without_password("mongodb://user:secret@db:27017/?replicaSet=x") == "mongodb://***@db:27017/?replicaSet=x"
    )
