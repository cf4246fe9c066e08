"""How each route is called by the guard test, one module a concern; every module has ROWS."""

import pkgutil
from importlib import import_module

from tests.acceptance.guard_rows.row import Row

ROWS: dict[tuple[str, str], Row] = {}
for _module in pkgutil.iter_modules(__path__):
    for _route, _row in getattr(import_module(f"{__name__}.{_module.name}"), "ROWS", {}).items():
        assert _route not in ROWS, _route
        ROWS[_route] = _row
