"""Secrets come from the environment alone: none stands in a file, in a command line or in what a process prints."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.plan import Plan, processes
from deploy.local.secret import Secrets
from services.chassis.settings import SettingMissing, Settings

ROOT = Path(__file__).parents[3]
LOOKS_SECRET = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a token": re.compile(r"\beyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\."),
    "a key in base64": re.compile(r"['\"=\s][A-Za-z0-9+/]{100,}={0,2}['\"\s]"),
    "a private part of a key": re.compile(r"\"d\"\s*:\s*\"[A-Za-z0-9_-]{30,}\""),
    "credentials in an address": re.compile(r"[a-z]+://[^\s/:@'\"{}$]+:[^\s/@'\"{}$]+@"),
}
NAMED = re.compile(r"secret|password|passwd|api_?key|master_?key|lookup_?key|credential", re.I)
KNOWN = ["tests/unit/local/test_machine.py: credentials in an address"]
"""An example of what is hidden when an address is shown."""
HIDDEN = ("master_key", "lookup_key", "client_secret")
READERS = {
    "services/chassis/settings.py": "the settings",
    "services/chassis/health.py": "LINLI_HOST",
    "services/chassis/process.py": "LINLI_HOST",
}


def tracked() -> Iterator[tuple[str, str]]:
    """Every text file of the project, by its path."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue


def code(*tops: str) -> Iterator[tuple[str, ast.Module]]:
    for top in tops:
        for file in sorted((ROOT / top).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def test_no_file_holds_what_looks_like_a_secret() -> None:
    found = [
        f"{name}: {what}"
        for name, text in tracked()
        if not name.startswith("requirements")
        for what, form in LOOKS_SECRET.items()
        if form.search(text)
    ]
    assert found == KNOWN


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Texts and bytes that are given to something with a secret's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            pairs = [(ast.unparse(target), node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            pairs = [(ast.unparse(node.target), node.value)]
        elif isinstance(node, ast.keyword):
            pairs = [(node.arg or "", node.value)]
        elif isinstance(node, ast.Dict):
            pairs = [(ast.unparse(name), value) for name, value in zip(node.keys, node.values, strict=True) if name]
        else:
            continue
        for name, value in pairs:
            if NAMED.search(name) and isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes)):
                yield node.lineno if hasattr(node, "lineno") else value.lineno, str(value.value)


def test_no_code_that_runs_gives_a_secret_a_value_of_its_own() -> None:
    found = [
        f"{name}:{line}"
        for name, tree in code("services", "deploy")
        for line, value in literals(tree)
        if len(value) > 5 and not re.fullmatch(r"[a-z_.-]+|[A-Z_]+", value)  # a name is no secret
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "master_key = 'c2VjcmV0c2VjcmV0'", "connect(password='Tr0ub4dor&3')", "x = {'client_secret': 'x9-k2-p4'}",
        "LOOKUP_KEY: bytes = b'0123456789abcdef'",
    ],
)  # fmt: skip
def test_the_linter_finds_what_it_is_for(line: str) -> None:
    assert [value for _, value in literals(ast.parse(line)) if len(value) > 5]


def test_the_services_read_their_environment_in_one_place() -> None:
    readers = {
        name for name, tree in code("services") for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    }  # fmt: skip
    assert readers == set(READERS)


@pytest.mark.parametrize("name", ["LINLI_MASTER_KEY", "LINLI_LOOKUP_KEY", "LINLI_MONGO", "LINLI_OIDC_ISSUER"])
def test_a_secret_that_is_not_given_has_no_default(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for each in ("KAFKA", "MONGO", "OIDC_ISSUER"):
        monkeypatch.setenv(f"LINLI_{each}", "x")
    monkeypatch.setenv("LINLI_MASTER_KEY", "A" * 128)
    monkeypatch.setenv("LINLI_LOOKUP_KEY", "A" * 43 + "=")
    Settings.from_environment("complaints")
    monkeypatch.delenv(name)
    with pytest.raises(SettingMissing, match=name):
        Settings.from_environment("complaints")


@pytest.mark.parametrize("given", ["short", "not base64!", "A" * 64, "A" * 127])
def test_a_key_of_the_wrong_form_is_refused_without_being_told(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    for each in ("KAFKA", "MONGO", "OIDC_ISSUER"):
        monkeypatch.setenv(f"LINLI_{each}", "x")
    monkeypatch.setenv("LINLI_LOOKUP_KEY", "A" * 43 + "=")
    monkeypatch.setenv("LINLI_MASTER_KEY", given)
    with pytest.raises(SettingMissing) as told:
        Settings.from_environment("complaints")
    assert given not in str(told.value)


def test_settings_that_are_printed_show_no_secret() -> None:
    marked = {"master_key": b"marked-one" * 10, "lookup_key": b"marked-two" * 4, "client_secret": "marked-three"}
    shown = repr(Settings("complaints", "", "", **marked))  # type: ignore[arg-type]
    assert "marked" not in shown and not any(name in shown for name in HIDDEN)


def test_no_command_line_holds_a_secret_since_everybody_on_a_machine_can_read_it(tmp_path: Path) -> None:
    plan, secrets = Plan(data=tmp_path), Secrets(tmp_path / "secrets")
    kept = {secrets.master_key, secrets.lookup_key, *(secrets.client(service) for service in plan.services)}
    for program in processes(plan, secrets):
        assert not any(secret in " ".join(program.command) for secret in kept)
        assert not any(secret in str(program.log) for secret in kept)


def test_secrets_made_on_this_machine_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets")
    assert secrets.master_key and secrets.lookup_key and secrets.client("complaints")
    files = [path for path in (tmp_path / "secrets").rglob("*") if path.is_file()]
    assert files
    assert [str(file) for file in files if file.stat().st_mode & 0o077] == []
