"""Which faults a run brings about: drawn from its seed, every kind before any comes twice, now and then two at once."""

from collections.abc import Iterator
from random import Random

from tests.faults.ground import Ground
from tests.faults.kinds import KINDS, Fault

PAIRED = 0.3  # of the draws bring two at once


def possible(ground: Ground, only: str = "") -> dict[str, list[str]]:
    """The kinds that this system allows, with what they can be done to; ``only`` these, divided by commas."""
    found = {name: kind.targets(ground) for name, kind in KINDS.items() if not only or name in only.split(",")}
    return {name: targets for name, targets in found.items() if targets}


def left_out(ground: Ground) -> dict[str, str]:
    """The kinds that it does not allow, each with what it would need."""
    reasons = {name: kind.why_not for name, kind in KINDS.items() if not kind.targets(ground)}
    return {name: f"needs {why}" + _reason(ground, name) for name, why in reasons.items()}


def _reason(ground: Ground, name: str) -> str:
    return f" ({ground.beneath.missing[name]})" if name in ground.beneath.missing else ""


def drawn(ground: Ground, random: Random, many: int, only: str = "") -> Iterator[tuple[Fault, ...]]:
    """At least ``many`` faults, singly and in pairs."""
    kinds = possible(ground, only)
    waiting: list[str] = []
    while many > 0:
        waiting = waiting or random.sample(list(kinds), len(kinds))
        names = [waiting.pop()]
        if waiting and random.random() < PAIRED and not KINDS[names[0]].alone and not KINDS[waiting[-1]].alone:
            names.append(waiting.pop())
        many -= len(names)
        yield tuple(_fault(name, kinds[name], random) for name in names)


def _fault(name: str, targets: list[str], random: Random) -> Fault:
    shortest, longest = KINDS[name].seconds
    return Fault(name, random.choice(targets), round(random.uniform(shortest, longest), 1))
