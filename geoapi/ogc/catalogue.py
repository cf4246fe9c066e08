"""The rows of the catalogue: the networks that the database shows, and the collections that everybody reads."""

from collections.abc import Iterable, Mapping

from geoapi.problems import Language

_NETWORK = "network"
_KEYWORDS = "ledninger", "buried utilities"
_COLUMNS = (
    "id, type, title, title_da, description_en, description_da, keywords, owner_cvr, owner_name, version,"
    " model_version, feature_count, created, updated, geom, is_open, scheme, external_id, collection"
)

type Told = tuple[str, Mapping[Language, str], Mapping[Language, str]]
"""A public collection: name, titles, descriptions."""


def catalogue_source(networks: str, public: Iterable[Told]) -> str:
    """Return the SQL of all rows; `networks` is the view of data sets, each row of which is its owner's."""
    keywords = f"ARRAY[{', '.join(map(_text, _KEYWORDS))}]"
    own = (
        "SELECT d.id::text, 'dataset', d.name, d.name,"
        " 'The network of ' || d.owner_name || ', version ' || d.number || '.',"
        " 'Ledningsnettet hos ' || d.owner_name || ', version ' || d.number || '.',"
        f" {keywords}, d.owner_cvr, d.owner_name, d.number, d.model_version, d.feature_count, d.created_at,"
        f" d.published_at, d.geom, false, 'urn:uuid', d.id::text, '{_NETWORK}' FROM {networks} AS d"
    )
    rows = [own, *(_open(*one, keywords) for one in public)]
    return (
        "(SELECT c.*, concat_ws(' ', c.title, c.title_da, c.description_en, c.description_da,"
        " array_to_string(c.keywords, ' '), c.owner_name) AS words"
        f" FROM ({' UNION ALL '.join(rows)}) AS c ({_COLUMNS}))"
    )


def _open(
    name: str, titles: Mapping[Language, str], descriptions: Mapping[Language, str], keywords: str
) -> str:
    texts = ", ".join(
        _text(one) for one in (titles["en"], titles["da"], descriptions["en"], descriptions["da"])
    )
    return (
        f"SELECT {_text(name)}, 'dataset', {texts}, {keywords} || {_text(name)}::text, NULL, NULL, NULL, NULL, NULL, NULL,"
        f" NULL, NULL, true, 'ler', {_text(name)}, {_text(name)}"
    )


def _text(told: str) -> str:
    """A text of ours as SQL has it, in a statement with parameters."""
    return "'" + told.replace("'", "''").replace("%", "%%") + "'"
