"""Policy (政策、决策表): what a district has decided, in force from a day.

``versions`` holds the dated values of one key; ``table`` decides from facts to an outcome, with its article.
"""

from services.kernel.policy.table import Decision, Domain, Range, Row, Table, decide
from services.kernel.policy.versions import Version, nearest, publish, value_on, version_on, withdraw

__all__ = [
    "Decision",
    "Domain",
    "Range",
    "Row",
    "Table",
    "Version",
    "decide",
    "nearest",
    "publish",
    "value_on",
    "version_on",
    "withdraw",
]
