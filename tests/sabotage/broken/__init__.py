"""What is broken, by promise."""

from tests.sabotage.broken import counted, figures, kept, once, personal, published, scope, stuck
from tests.sabotage.sabotage import Sabotage

SABOTAGES: tuple[Sabotage, ...] = (
    *kept.SABOTAGES,
    *published.SABOTAGES,
    *once.SABOTAGES,
    *stuck.SABOTAGES,
    *scope.SABOTAGES,
    *personal.SABOTAGES,
    *figures.SABOTAGES,
    *counted.SABOTAGES,
)
