"""The rates over the size, drawn: one line each, as shares of the rate at the smallest size."""

import math

from tests.load.growth import Size

WIDE, HIGH, LEFT, TOP, LEGEND = 760, 360, 60, 20, 250
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
TOP_SHARE = 1.5


def drawn(sizes: list[Size]) -> str:
    """An SVG document."""
    first, last = math.log10(sizes[0].concerns), math.log10(sizes[-1].concerns)

    def across(concerns: int) -> float:
        return LEFT + (math.log10(concerns) - first) / ((last - first) or 1) * (WIDE - LEFT - LEGEND)

    def down(share: float) -> float:
        return TOP + HIGH * (1 - min(share, TOP_SHARE) / TOP_SHARE)

    lines = [
        f'<line x1="{LEFT}" x2="{WIDE - LEGEND}" y1="{down(share):.1f}" y2="{down(share):.1f}" stroke="#ccc"/>'
        f'<text x="{LEFT - 8}" y="{down(share) + 4:.1f}" text-anchor="end">{share:g}</text>'
        for share in (0, 0.5, 0.9, 1.0, 1.5)
    ]
    lines += [
        f'<text x="{across(size.concerns):.1f}" y="{TOP + HIGH + 20}" text-anchor="middle">{size.concerns:,}</text>'
        for size in sizes
    ]
    for number, name in enumerate(sizes[0].rates):
        colour = COLOURS[number % len(COLOURS)]
        shares = [size.rates[name] / sizes[0].rates[name] for size in sizes]
        points = " ".join(
            f"{across(size.concerns):.1f},{down(share):.1f}" for size, share in zip(sizes, shares, strict=True)
        )
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        place = TOP + 20 + number * 22
        lines.append(f'<rect x="{WIDE - LEGEND + 16}" y="{place - 9}" width="12" height="12" fill="{colour}"/>')
        lines.append(f'<text x="{WIDE - LEGEND + 34}" y="{place + 2}">{name} {shares[-1]:.2f}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH + 60}" font-family="sans-serif" '
        f'font-size="13"><title>Rate over the number of concerns, as a share of the rate at '
        f"{sizes[0].concerns:,}</title><rect width='100%' height='100%' fill='white'/>{''.join(lines)}</svg>\n"
    )
