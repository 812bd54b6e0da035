"""The definitions of figures that are shipped with the service."""

from functools import cache
from pathlib import Path

from services.insight.domain.indicators import Catalogue

DEFINITIONS = Path(__file__).parent / "indicators.json"


@cache
def catalogue() -> Catalogue:
    """Read and checked once. Raises ``ValidationError`` when the definitions contradict themselves."""
    return Catalogue.model_validate_json(DEFINITIONS.read_text(encoding="utf-8"))
