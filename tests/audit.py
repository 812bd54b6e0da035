"""``make audit``: whether what this project stands on has holes that are known.

It needs the internet: pip-audit itself (pinned, in an environment of its own) and the list of known holes. Where that
is out of reach it says that nothing was checked, and so it does for each package of which the list tells nothing:
silence is not taken for soundness. Ends with 0 when every package was checked and none has a hole, 1 for holes, 2
otherwise.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from deploy.local.install import LISTS, LOCAL, ROOT

AUDITOR = "pip-audit==2.10.1"
SOUND, HOLES, NOT_CHECKED = 0, 1, 2
MOST_NAMED = 10


def main() -> int:
    """Check the longer of the two lists, which holds the other."""
    command = (
        sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", AUDITOR, "pip-audit", "--require-hashes",
        "--disable-pip", "--progress-spinner", "off", "--format", "json", "--requirement", str(LISTS["test"]),
    )  # fmt: skip
    surroundings = {"UV_CACHE_DIR": str(LOCAL / "audit"), **os.environ}
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    code, lines = verdict(done.stdout, done.stderr)
    print("\n".join(lines))
    return code


def verdict(told: str, trouble: str) -> tuple[int, list[str]]:
    """The exit code and what a person is told, by what pip-audit wrote."""
    try:
        packages: list[dict[str, Any]] = json.loads(told)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (trouble.strip().splitlines() or ["pip-audit said nothing"])[-1][:300]
        return NOT_CHECKED, [
            "✗ 没有检查任何依赖:连不上漏洞库或安装源(需要互联网)。请在能上网的机器上运行 make audit。",
            "  Nothing was checked: the list of known holes, or pip-audit itself, is out of reach.",
            f"  {last}",
        ]
    holes = [(package, hole) for package in packages for hole in package.get("vulns", ())]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    lines = [_hole(package, hole) for package, hole in holes]
    lines.append(
        f"已检查 {len(packages) - len(unknown)} 个,共 {len(packages)} 个;发现 {len(holes)} 个已知漏洞 · "
        f"{len(packages) - len(unknown)} of {len(packages)} packages checked, {len(holes)} known holes"
    )
    if unknown:
        lines += _not_checked(unknown)
    return HOLES if holes else NOT_CHECKED if unknown or not packages else SOUND, lines


def _hole(package: dict[str, Any], hole: dict[str, Any]) -> str:
    mended = ", ".join(hole.get("fix_versions", ())) or "—"
    return f"✗ {package['name']} {package['version']}: {hole['id']} · 修复版本 mended in: {mended}"


def _not_checked(unknown: Sequence[str]) -> list[str]:
    named = ", ".join(unknown[:MOST_NAMED]) + (" …" if len(unknown) > MOST_NAMED else "")
    return [
        f"✗ 有 {len(unknown)} 个没有查到资料,不能算作安全 · nothing is told of {len(unknown)}: {named}",
        "  安装源可能只是镜像;请在能直接上网的机器上再运行一次。",
        "  That proves nothing: the index may be a mirror that knows no holes. Run it where the internet is at hand.",
    ]


if __name__ == "__main__":
    sys.exit(main())
