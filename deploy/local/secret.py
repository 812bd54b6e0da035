"""The secrets of one machine's system: made once, kept in files only their owner can read, given by the environment."""

import base64
import os
import secrets
from collections.abc import Callable
from pathlib import Path

MASTER_KEY_BYTES = 96
LOOKUP_KEY_BYTES = 32


class Secrets:
    """Secrets under one folder (mode 700, files 600); each is made when it is first asked for and stays the same."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)

    @property
    def master_key(self) -> str:
        """The key that wraps the data keys, as base64."""
        return self.kept("master-key", lambda: _random(MASTER_KEY_BYTES))

    @property
    def lookup_key(self) -> str:
        """The key of the look-up hashes, as base64."""
        return self.kept("lookup-key", lambda: _random(LOOKUP_KEY_BYTES))

    def client(self, name: str) -> str:
        """The secret with which a service asks for its own tokens."""
        return self.kept(f"client-{name}", lambda: secrets.token_urlsafe(32))

    def kept(self, name: str, make: Callable[[], str]) -> str:
        """The secret of this name; made and stored whole or not at all, also when two processes ask at once."""
        file = self.folder / name
        if not file.exists():
            partial = self.folder / f".{name}.{os.getpid()}"
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
                stream.write(make())
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(partial, file)
            except FileExistsError:
                pass
            finally:
                partial.unlink()
        return file.read_text()


def _random(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()
