"""Codes of the orders a card may suggest.

Room: knowledge. Refuses to know when an order is suggested.
"""

from collections.abc import Mapping
from pathlib import Path

from cds_service.knowledge.approvals import read_approval
from cds_service.knowledge.model import Approval, OrderCode
from cds_service.knowledge.strict_files import Table, read_toml
from cds_service.knowledge.value_sets import VERIFIED

FILE = "orders.toml"
ORDERS = ("cbc-with-differential", "peripheral-smear", "liver-panel", "abdominal-ultrasound", "hematology-referral")


def load_orders(directory: Path) -> tuple[Mapping[str, OrderCode], Approval]:
    """The codes by order. Raises KnowledgeError when one is missing, unknown or unverified."""
    file = read_toml(directory, FILE)
    approval = read_approval(file)
    orders = {name: _read_order(file.table(name)) for name in ORDERS}
    file.finish()
    return orders, approval


def _read_order(table: Table) -> OrderCode:
    order = OrderCode(table.text("system"), table.text("code"), table.text("display"))
    if "source" not in table or not table.text("source").startswith(VERIFIED):
        raise table.error("source", f"code {order.code} is unverified; begin its source with '{VERIFIED.strip()}'")
    table.finish()
    return order
