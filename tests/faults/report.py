"""What a run tells: a page for people on the terminal, a file for programs, and the time line (``timeline``)."""

import json
import subprocess
from collections import Counter
from dataclasses import astuple
from pathlib import Path
from typing import Any

from deploy.local.install import ROOT
from tests.faults.checker import Doubled, Inverted, Lost
from tests.faults.course import Course
from tests.faults.injection import GOAL, Overcome
from tests.faults.timeline import document

MOST = 10  # sentences of one promise on the page; the file has all


def as_json(course: Course) -> dict[str, Any]:
    """Everything, with the time line of faults. Figures of one look at ``seen``: epoch seconds, events taken a second,
    events that wait, seconds of the relay's lag, processes that did not answer."""
    sentences = [sentence for of in course.violations.values() for sentence in of]
    return {
        "commit": commit(),
        "seed": course.seed,
        "held": course.held,
        "events": course.found.get("events", 0),
        "faults": sum(len(one.kinds) for one in course.faults),
        "lost": sum(isinstance(sentence, Lost) for sentence in sentences),
        "doubled": sum(isinstance(sentence, Doubled) for sentence in sentences),
        "inverted": sum(isinstance(sentence, Inverted) for sentence in sentences),
        "recovery_seconds_max": slowest(course),
        "drained_times_arrival_min": min(course.drains, default=None),
        "loaded_seconds": course.loaded,
        "events_per_second": round(course.found.get("events", 0) / max(1.0, course.loaded), 1),
        "rested_seconds": course.rested,
        "requests_per_second": course.rate,
        "requests": course.requests,
        "troubles": troubles(course),
        "stories": course.stories,
        "found": course.found,
        "poison": course.poison,
        "kinds": dict(sorted(Counter(kind for one in course.faults for kind in one.kinds).items())),
        "left_out": course.left_out,
        "timeline": [one.told() for one in course.faults],
        "drains": course.drains,
        "violations": course.violations,
        "began": course.began,
        "seconds": course.seconds,
        "seen": [astuple(one) for one in course.seen],
    }


def commit() -> str:
    """The commit that was run, with ``+`` when the tree differed from it; empty outside a clone."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    changed = subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True)
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def slowest(course: Course) -> float | None:
    """Seconds from the return of what was away until everything worked, at most; without those that left a backlog of
    their own making. None when something never did."""
    counted = [one.counted for one in course.faults if not one.backlog]
    return None if None in counted else max((took for took in counted if took is not None), default=None)


def troubles(course: Course) -> dict[str, int]:
    """What came instead of answers, counted."""
    total: Counter[str] = Counter()
    for of in course.seconds.values():
        total.update({what: many for what, many in of.items() if what != "accepted" and not what.startswith("ended")})
    return dict(total)


SERIES = ("seconds", "seen")


def write(course: Course, file: Path, page: Path | None = None, series: bool = True) -> None:
    """The file, and the time line as a page of its own; the file without what was seen second by second if not
    ``series``."""
    told = as_json(course)
    kept = told if series else {name: value for name, value in told.items() if name not in SERIES}
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if page:
        page.write_text(document(told), encoding="utf-8")


def page(course: Course) -> str:
    """The page."""
    asked, found = course.requests, course.found
    lines = [
        f"{'✓ 承诺全部成立 · Every promise held' if course.held else '✗ 有承诺被打破 · Promises were broken'}",
        f"  种子 seed {course.seed} · 负载 load {course.loaded:g} s · {course.rate:g} requests/s",
        f"  请求 requests: {asked['accepted']} 已受理 accepted, {asked['refused']} 已拒绝 refused, "
        f"{asked['unanswered']} 无答复 unanswered, {asked['repeats']} 次重试 repeats {troubles(course)}",
        f"  留下 found: {found['aggregates']} 聚合 aggregates, {found['events']} 事件 events, "
        f"{found['records']} 条记录 records in topics, {found['places']} 位置 places, {found['parked']} 搁置 parked",
        f"  全部落定 everything applied: {_seconds(course.rested)} 之后 after the load",
        f"  积压消化速度(到达速度的倍数)· backlogs drained at {course.drains} times the rate of arrival",
        f"  故障与恢复(自依赖恢复起,目标 ≤ {GOAL:g} s)· Faults and recovery after the dependency is back, "
        f"goal ≤ {GOAL:g} s:",
        f"    {'':<46}{'at':>8}{'over':>8}{'request':>9}{'journey':>9}{'counted':>9}{'ready':>9}",
        *(_fault(one) for one in course.faults),
        *(f"    ({kind}: {reason})" for kind, reason in course.left_out.items()),
    ]
    for promise, sentences in course.violations.items():
        lines.append(f"  {'✗' if sentences else '✓'} {promise}")
        lines += [f"      {sentence}" for sentence in sentences[:MOST]]
        if len(sentences) > MOST:
            lines.append(f"      … {len(sentences) - MOST} more")
    return "\n".join(lines)


def _fault(one: Overcome) -> str:
    times = "".join(f"{_seconds(took):>9}" for took in (one.requests, one.journey, one.counted, one.ready))
    late = "" if one.met() else f"✗ {one.trouble}"
    return f"    {one.fault:<46}{one.at:>7g}s{_seconds(one.over):>8}{times}  {late}".rstrip()


def _seconds(took: float | None) -> str:
    return "-" if took is None else f"{took:g}s"
