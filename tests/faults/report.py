"""What a run tells: a page for people and a file for programs."""

import json
from pathlib import Path
from typing import Any

from tests.faults.course import Course
from tests.faults.injection import GOAL, Overcome

MOST = 10  # sentences of one promise on the page; the file has all


def as_json(course: Course) -> dict[str, Any]:
    """Everything, with the timeline of faults."""
    return {
        "held": course.held,
        "seed": course.seed,
        "requests_per_second": course.rate,
        "loaded_seconds": course.loaded,
        "rested_seconds": course.rested,
        "timeline": [one.told() for one in course.faults],
        "requests": course.requests,
        "stories": course.stories,
        "found": course.found,
        "poison": course.poison,
        "violations": course.violations,
    }


def write(course: Course, file: Path) -> None:
    """The file."""
    file.write_text(json.dumps(as_json(course), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def page(course: Course) -> str:
    """The page."""
    asked, found = course.requests, course.found
    lines = [
        f"{'✓ 承诺全部成立 · Every promise held' if course.held else '✗ 有承诺被打破 · Promises were broken'}",
        f"  种子 seed {course.seed} · 负载 load {course.loaded:g} s · {course.rate:g} requests/s",
        f"  请求 requests: {asked['accepted']} 已受理 accepted, {asked['refused']} 已拒绝 refused, "
        f"{asked['unanswered']} 无答复 unanswered, {asked['repeats']} 次重试 repeats",
        f"  留下 found: {found['aggregates']} 聚合 aggregates, {found['events']} 事件 events, "
        f"{found['records']} 条记录 records in topics, {found['places']} 位置 places, {found['parked']} 搁置 parked",
        f"  全部落定 everything applied: {_seconds(course.rested)} 之后 after the load",
        f"  故障与恢复(目标 ≤ {GOAL:g} s)· Faults and recovery, goal ≤ {GOAL:g} s:",
        f"    {'':<24}{'at':>7}{'request':>9}{'journey':>9}{'counted':>9}{'ready':>9}",
        *(_fault(one) for one in course.faults),
    ]
    for promise, sentences in course.violations.items():
        lines.append(f"  {'✗' if sentences else '✓'} {promise}")
        lines += [f"      {sentence}" for sentence in sentences[:MOST]]
        if len(sentences) > MOST:
            lines.append(f"      … {len(sentences) - MOST} more")
    return "\n".join(lines)


def _fault(one: Overcome) -> str:
    times = "".join(f"{_seconds(took):>9}" for took in (one.requests, one.journey, one.counted, one.ready))
    return f"    {one.fault:<24}{one.at:>6g}s{times}  {'' if one.met() else '✗ ' + one.trouble}".rstrip()


def _seconds(took: float | None) -> str:
    return "-" if took is None else f"{took:g}s"
