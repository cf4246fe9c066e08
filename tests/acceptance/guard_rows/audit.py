"""Routes of the audit trail. The chain is for who audits: for others there is none."""

from tests.acceptance.guard_rows.row import Row

ROWS = {
    ("GET", "/api/v1/audit"): Row(200),
    ("GET", "/api/v1/audit/chain"): Row(404),
    ("GET", "/api/v1/audit/export"): Row(404),
    ("POST", "/api/v1/audit/viewers"): Row(200, json={"gml_ids": ["a"]}),
}
