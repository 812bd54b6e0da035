"""Where an order or a volunteer stands among the units that organise service: the grid and those above it."""

from services.chassis.districts.units import Units

ABOVE = ("community", "street", "district")
GRID, LAYER = "grid", "community"  # party grids may cover the same buildings; service goes by the community's


async def steps_up(units: Units, unit: str) -> tuple[str, ...]:
    """The grid that a unit is, lies in or is covered by, then its community, street and district.

    A unit that lies in no grid begins with its community. Raises UnitUnknown.
    """
    view = await units.get(unit)
    above = [one for one, kind in zip(view.path, view.kinds, strict=True) if kind in ABOVE]
    grid = await _grid_of(units, view.path, view.kinds)
    return tuple(([grid] if grid else []) + above[::-1])


async def _grid_of(units: Units, path: tuple[str, ...], kinds: tuple[str, ...]) -> str | None:
    """The nearest grid on the way up, by place in the tree or by coverage."""
    for unit, kind in zip(reversed(path), reversed(kinds), strict=True):
        if kind == GRID:
            return unit
        if kind in ABOVE or not kind:
            return None
        covering = (await units.get(unit)).covers.get(LAYER)
        if covering:
            return covering
    return None
