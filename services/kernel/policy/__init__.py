"""Policy (政策、决策表): what a district has decided, in force from a day.

``versions`` holds the dated values of one key; ``table`` decides from facts to an outcome, with its article;
``codes`` are lists to choose from; ``shape`` (imported by itself) holds a value against what its key's owner published.
"""

from services.kernel.policy.codes import Codes, Label, Labelled, Name
from services.kernel.policy.table import Decision, Domain, Range, Row, Table, decide
from services.kernel.policy.versions import Version, nearest, publish, value_on, version_on, withdraw

__all__ = [
    "Codes",
    "Decision",
    "Domain",
    "Label",
    "Labelled",
    "Name",
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
