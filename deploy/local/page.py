"""The one page a user sees when everything is ready: Chinese first, English beside."""

from collections.abc import Sequence

from deploy.local.identity import Account
from deploy.local.mongo import without_password
from deploy.local.plan import Plan

TITLES = {
    "directory": ("基础信息", "directory"),
    "complaints": ("诉求办理", "complaints"),
    "volunteers": ("志愿服务", "volunteers"),
    "insight": ("统计分析", "insight"),
}


def ready_page(plan: Plan, accounts: Sequence[Account]) -> str:
    """Addresses, demonstration accounts, and what to try first."""
    return "\n".join(
        [
            "",
            "═" * 78,
            " 邻里 已就绪 · Linli is ready",
            " 演示环境:内置身份服务与本机密钥,不得用于生产",
            " A demonstration with an embedded identity provider and local keys: NOT for production",
            "═" * 78,
            "",
            *_addresses(plan),
            "",
            *_accounts(accounts),
            "",
            *_first_steps(plan),
            "",
            " 停止:Ctrl-C 或 make stop;数据保留在 .local/run · To stop: Ctrl-C or make stop; the data is kept",
            "",
        ]
    )


def _addresses(plan: Plan) -> list[str]:
    rows = [
        f"   {zh} {en:<12} {plan.url(name)}/openapi.json" for name, (zh, en) in TITLES.items() if name in plan.services
    ]
    given = "您给出的 · yours" if plan.given_kafka or plan.given_mongo else "内置 · built in"
    return [
        " 地址 · Addresses",
        *rows,
        f"   身份服务 identity     {plan.issuer}",
        f"   Kafka                 {plan.kafka}  ({given})",
        f"   MongoDB               {without_password(plan.mongo)}",
    ]


def _accounts(accounts: Sequence[Account]) -> list[str]:
    rows = [f"   {one.account:<16} {one.unit:<18} {one.zh} · {one.en}" for one in accounts]
    passwords = {one.password for one in accounts}
    shown = passwords.pop() if len(passwords) == 1 else f"/accounts {passwords}"
    return [f" 演示账号(口令均为 {shown})· Demonstration accounts (password: {shown})", *rows]


def _first_steps(plan: Plan) -> list[str]:
    return [
        " 先试这些 · Try first",
        "   make journey      看一件居民诉求走完四个服务 · one resident's concern through four services",
        "   make status       查看每个进程 · every process and how it is",
        "   取得令牌 · a token:",
        f"     curl -s {plan.issuer}/token -d grant_type=password -d username=worker-c1 -d password=linli-demo",
    ]
