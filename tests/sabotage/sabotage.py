"""A promise broken on purpose: one small change to the code, and the tests that must notice it."""

from dataclasses import dataclass

from deploy.local.trouble import Trouble


@dataclass(frozen=True, kw_only=True)
class Sabotage:
    """``old`` stands in ``file`` exactly once and becomes ``new``; ``what`` tells in one sentence what is broken.

    ``tests`` are node ids, as narrow as can be. ``shows`` is a regular expression: what a test says that fails because
    of this change and of nothing else, searched for in ``<type of the error>: <its text>``.
    """

    name: str
    promise: str
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    shows: str

    def applied(self, text: str) -> str:
        """The broken text of ``file``. Raises Trouble when the old text is not there exactly once."""
        times = text.count(self.old)
        if times != 1:
            raise Trouble(
                f"破坏项 {self.name} 已不适用:{self.file} 中应有一处的原文有 {times} 处;请按现在的代码改写它。",
                f"The sabotage {self.name} applies no more: its old text stands {times} times in {self.file}, "
                "not once; write it anew for the code as it is.",
            )
        return text.replace(self.old, self.new)
