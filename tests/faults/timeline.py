"""A run as a page: faults against throughput, errors, what waits, and recovery; one HTML file that asks for nothing."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT = 1180, 120, 60  # of a chart, in pixels; LEFT for the scale
Point = tuple[float, float]

STYLE = """
body { font: 14px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; margin: 2em auto; max-width: 1280px; color: #222; }
h1 { font-size: 1.4em; } h2 { font-size: 1.05em; margin: 1.6em 0 .3em; }
table { border-collapse: collapse; } td, th { padding: .15em .8em; text-align: right; border-bottom: 1px solid #ddd; }
td:first-child, th:first-child { text-align: left; } .bad { color: #b00020; } .good { color: #176f2c; }
svg { display: block; background: #fafafa; } svg text { font: 11px system-ui, sans-serif; fill: #555; }
"""


def document(told: dict[str, Any]) -> str:
    """The page of a run as ``report.as_json`` tells it."""
    verdict = "每一项承诺都成立 · Every promise held" if told["held"] else "有承诺被打破 · Promises were broken"
    parts = [
        "<!doctype html><html lang='zh'><meta charset='utf-8'><title>Linli: faults</title>",
        f"<style>{STYLE}</style>",
        f"<h1 class='{'good' if told['held'] else 'bad'}'>{verdict}</h1>",
        _facts(told),
        *_charts(told),
        _faults(told["timeline"]),
        _promises(told["violations"]),
        _left_out(told["left_out"]),
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _facts(told: dict[str, Any]) -> str:
    names = (
        "commit", "seed", "events", "faults", "lost", "doubled", "inverted", "recovery_seconds_max",
        "drained_times_arrival_min", "loaded_seconds", "events_per_second", "rested_seconds",
    )  # fmt: skip
    rows = "".join(f"<tr><td>{name}</td><td>{escape(str(told[name]))}</td></tr>" for name in names)
    asked = ", ".join(f"{name} {value}" for name, value in (told["requests"] | told["troubles"]).items())
    return f"<table>{rows}</table><p>{escape(asked)}</p>"


def _charts(told: dict[str, Any]) -> list[str]:
    began = told["began"]
    seen = [(one[0] - began, *one[1:]) for one in told["seen"]]
    last = max([one[0] for one in seen] + [told["loaded_seconds"], 1.0])
    by_second = {int(at) - began: of for at, of in told["seconds"].items()}
    spans = [(one["at"], one["at"] + (one["over"] or 0.0), one["fault"]) for one in told["timeline"]]
    answered = [(at, float(of.get("accepted", 0))) for at, of in sorted(by_second.items())]
    failed = [(at, float(sum(of.values()) - of.get("accepted", 0))) for at, of in sorted(by_second.items())]
    charts: list[tuple[str, list[Point], str]] = [
        ("受理的请求 · requests accepted, a second", answered, "#1c6dd0"),
        ("没有得到答复的尝试 · tries without an answer (503, 429, connections), a second", failed, "#b00020"),
        ("各消费者处理的事件 · events taken by consumers, a second", [(one[0], one[1]) for one in seen], "#176f2c"),
        ("等待的事件 · events that wait, all consumers", [(one[0], one[2]) for one in seen], "#a15c00"),
        ("发布的延迟(秒)· lag of the relay, seconds", [(one[0], one[3]) for one in seen], "#6b3fa0"),
        ("无应答的进程 · processes that do not answer", [(one[0], float(one[4])) for one in seen], "#555"),
    ]
    return [f"<h2>{title}</h2>{chart(points, spans, last, colour)}" for title, points, colour in charts]


def chart(points: Sequence[Point], spans: Iterable[tuple[float, float, str]], last: float, colour: str) -> str:
    """A line over seconds 0 to ``last`` as SVG, before the spans of faults."""
    inside = [(at, value) for at, value in points if 0 <= at <= last]
    most = max((value for _, value in inside), default=0.0) or 1.0

    def x(at: float) -> float:
        return round(LEFT + (WIDTH - LEFT) * at / last, 1)

    def y(value: float) -> float:
        return round(HEIGHT - (HEIGHT - 12) * value / most, 1)

    faults = "".join(
        f"<rect x='{x(since)}' width='{max(1.5, round(x(until) - x(since), 1))}' y='0' height='{HEIGHT}' "
        f"fill='#d33' opacity='.15'><title>{escape(fault)}</title></rect>"
        for since, until, fault in spans
    )
    line = " ".join(f"{x(at)},{y(value)}" for at, value in inside)
    minutes = "".join(
        f"<text x='{x(at)}' y='{HEIGHT + 14}'>{at // 60} min</text>" for at in range(0, int(last) + 1, _step(last))
    )
    return (
        f"<svg width='{WIDTH}' height='{HEIGHT + 18}' viewBox='0 0 {WIDTH} {HEIGHT + 18}'>{faults}"
        f"<polyline points='{line}' fill='none' stroke='{colour}' stroke-width='1.2'/>"
        f"<text x='2' y='12'>{most:g}</text><text x='2' y='{HEIGHT}'>0</text>{minutes}</svg>"
    )


def _step(last: float) -> int:
    """Seconds between two marks of the scale: about ten of them, whole minutes."""
    return max(60, int(last / 10) // 60 * 60)


def _faults(timeline: Iterable[dict[str, Any]]) -> str:
    names = ("at", "over", "requests", "journey", "counted", "ready")
    head = "".join(f"<th>{name}</th>" for name in ("fault", *names, ""))
    rows = "".join(
        f"<tr><td>{escape(one['fault'])}</td>"
        + "".join(f"<td>{'-' if one[name] is None else one[name]}</td>" for name in names)
        + f"<td>{escape(one['trouble'])}{' backlog' if one['backlog'] else ''}</td></tr>"
        for one in timeline
    )
    note = "秒;“over”之后从依赖恢复起计 · seconds; from “over” on counted from the return of what was away"
    return f"<h2>故障 · Faults</h2><p>{note}</p><table><tr>{head}</tr>{rows}</table>"


def _promises(violations: dict[str, list[str]]) -> str:
    rows = "".join(
        f"<li class='{'bad' if sentences else 'good'}'>{'✗' if sentences else '✓'} {escape(promise)}"
        + "".join(f"<br>{escape(sentence)}" for sentence in sentences[:20])
        + "</li>"
        for promise, sentences in violations.items()
    )
    return f"<h2>承诺 · Promises</h2><ul>{rows}</ul>"


def _left_out(reasons: dict[str, str]) -> str:
    rows = "".join(f"<li>{escape(kind)}: {escape(reason)}</li>" for kind, reason in reasons.items())
    return f"<h2>未做的故障 · Kinds of faults left out</h2><ul>{rows}</ul>" if rows else ""
