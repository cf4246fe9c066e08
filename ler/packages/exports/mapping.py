"""The mapping of an export: how `ler check --mapping` and `ler upload --mapping` read it again."""

from typing import Any, Final

import yaml

from ler.model import Model
from ler.packages.exports.tables import ID_COLUMN, TYPE_COLUMN, VOID_COLUMN, Rule, Written, WrittenLayer

_HEAD: Final = """# How {name} is read again: ler check {name} --mapping {name}.mapping.yaml
# The keys are described in docs/reference/mapping.md.
"""


def mapping_text(written: Written, name: str, model: Model) -> str:
    """Return the mapping as YAML."""
    document: dict[str, Any] = {
        "mapping": 1,
        "model": model.version,
        "strip": False,
        **written.keys,
        "layers": [_layer(layer) for layer in written.layers],
    }
    return _HEAD.format(name=name) + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)


def _layer(layer: WrittenLayer) -> dict[str, Any]:
    def called(column: str) -> str:
        return layer.columns.get(column, column)

    return {
        "layer": layer.name,
        **layer.keys,
        "type": layer.type_name or {"column": called(TYPE_COLUMN)},
        "id": called(ID_COLUMN),
        "voids": called(VOID_COLUMN),
        "attributes": {name: _short(rule) for name, rule in layer.rules.items()},
    }


def _short(rule: Rule) -> Rule | str:
    """A rule that is a column and nothing else is written as the column."""
    column = rule["column"]
    return column if len(rule) == 1 and isinstance(column, str) else rule
