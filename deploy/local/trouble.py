"""What can go wrong on a user's machine, told in one sentence with what to do about it."""

import sys
from typing import NoReturn


class Trouble(Exception):
    """A fault the user can mend. ``zh`` and ``en`` each say what is wrong and what to do, in one sentence."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh = zh
        self.en = en


def give_up(trouble: Trouble) -> NoReturn:
    """Print the two sentences and end with code 1: the user has something to do, and no traceback helps."""
    print(f"\n✗ {trouble.zh}\n  {trouble.en}", file=sys.stderr, flush=True)
    raise SystemExit(1)
