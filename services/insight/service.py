"""What insight is."""

from services.chassis.aggregate import Service, Text
from services.insight.access import PERMISSIONS
from services.insight.api import router
from services.insight.reactions import REACTIONS
from services.insight.rows import INDEXES
from services.insight.texts import TEXTS

SERVICE = Service(
    name="insight",
    title=Text("数据洞察", "Insight", 200),
    aggregates=(),
    routers=(router,),
    permissions=PERMISSIONS,
    texts=TEXTS,
    reactions=REACTIONS,
    indexes=INDEXES,
)
