"""The services by name, imported only when asked for. The chassis knows none of them; a composition root lists them."""

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.chassis.aggregate import Service


@dataclass(frozen=True)
class Catalogue:
    """``names`` of packages below ``package``, each with a module ``service`` that defines ``SERVICE``."""

    names: tuple[str, ...]
    package: str = "services"

    def load(self, name: str) -> Service:
        """The description of one service. Raises ImportError, and ``ValueError`` for a name not on the list."""
        if name not in self.names:
            raise ValueError(f"no service {name}: there are {', '.join(self.names)}")
        service: Service = importlib.import_module(f"{self.package}.{name}.service").SERVICE
        return service

    def all(self, names: Iterable[str] = ()) -> Iterator[Service]:
        """These services, or every one; a module that cannot be imported is an error, never left out."""
        for name in names or self.names:
            yield self.load(name)
