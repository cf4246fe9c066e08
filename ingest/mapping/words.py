"""Words by which owners call their layers and columns, in Danish and English, for the first draft of a mapping."""

from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Final

_LETTERS: Final = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "é": "e", "ö": "oe", "ä": "ae", "ü": "ue"})
_CLOSE: Final = 0.86
"""How alike two names must be, 0 to 1, to be taken for the same."""
_SHORTENED: Final = 10
"""Letters that a shapefile leaves of a name."""
_LEAST_SHORTENED: Final = 8

UTILITIES: Final[Mapping[str, tuple[str, ...]]] = {
    "Afloeb": (
        "afloeb",
        "kloak",
        "spildevand",
        "regnvand",
        "draen",
        "sewer",
        "drain",
        "wastewater",
        "stormwater",
    ),
    "Termisk": ("fjernvarme", "varme", "fjernkoeling", "heat", "heating", "cooling", "termisk"),
    "Telekommunikations": ("telekom", "tele", "fiber", "fibre", "bredbaand", "antenne", "coax", "telecom"),
    "Gas": ("gas",),
    "Olie": ("olie", "oil"),
    "Vand": ("vandledning", "vand", "water", "drikkevand", "brugsvand"),
    "El": (
        "elkabel",
        "elledning",
        "hoejspaending",
        "lavspaending",
        "gadelys",
        "vejbelysning",
        "power",
        "electric",
        "el",
    ),
}
"""Beginning of the name of a feature type -> words in a layer's name; looked for in this order."""

DUCTS: Final = ("foeringsroer", "tomroer", "traekroer", "duct", "conduit")
TRACES: Final = ("trace", "kabelgrav", "trench")

IDS: Final = (
    "gml_id",
    "gmlid",
    "ler_id",
    "lerid",
    "guid",
    "uuid",
    "globalid",
    "global_id",
    "objectid",
    "objekt_id",
    "objektid",
    "ledningsid",
    "asset_id",
    "assetid",
    "feature_id",
    "fid",
    "id",
    "nr",
    "nummer",
)
OWNERS: Final = ("owner_cvr", "cvr", "cvrnr", "cvrnummer", "cvr_nummer", "ejer_cvr", "ledningsejer_cvr")
HEIGHT_COLUMNS: Final = ("kote", "z", "hoejde", "elevation", "height")

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "driftsstatus": ("status", "drift", "state", "lifecycle", "operational_status"),
    "ejerskabsforhold": ("ejerskab", "ejerforhold", "ownership"),
    "etableringstidspunkt": (
        "etableret",
        "anlaegsaar",
        "anlagt",
        "aar",
        "byggeaar",
        "install_year",
        "installed",
        "year",
        "etabl_dato",
        "installation_date",
        "laegningsaar",
    ),
    "fareklasse": ("fare", "danger", "hazard", "danger_class"),
    "noejagtighedsklasse": ("noejagtighed", "accuracy", "indmaalingsnoejagtighed", "horizontal_accuracy"),
    "noejagtighedsklasseVertikal": ("noejagtighed_z", "vertical_accuracy", "kotenoejagtighed"),
    "vejledendeDybde": ("dybde", "depth", "laegningsdybde", "daekning", "cover"),
    "udvendigDiameter": (
        "diameter",
        "dim",
        "dimension",
        "dia",
        "dy",
        "outer_diameter",
        "ydre_diameter",
        "dn",
    ),
    "udvendigMateriale": ("materiale", "material", "mat"),
    "materiale": ("material", "mat"),
    "udvendigFarve": ("farve", "colour", "color"),
    "indtegningsmetode": ("indmaalt", "metode", "drawing_method"),
    "sikkerhedshensyn": ("bemaerkning", "forsigtighed", "precautions"),
    "spaendingsniveau": ("spaending", "voltage", "kv"),
    "antalKabler": ("antal", "cables", "number_of_cables"),
    "tryk": ("pressure",),
    "type": ("art", "kategori", "kind", "komponenttype", "ledningstype"),
    "topkote": ("terraenkote", "daekselkote", "top_level", "cover_level"),
    "bundkote": ("bund", "invert", "bottom_level", "invert_level"),
    "registreringFra": ("registreret", "oprettet", "created", "registration_date"),
    "medietype": ("medie", "medium", "system"),
    "tvaersnitsform": ("form", "profil", "shape"),
    "indeholdtLedning": ("indeholder", "children", "contains"),
    "startkomponent": ("fra_knude", "fra", "from_node", "startknude"),
    "slutkomponent": ("til_knude", "til", "to_node", "slutknude"),
}


def plain(name: str) -> str:
    """Return a name in small ASCII letters and digits, for comparison."""
    return "".join(letter for letter in name.casefold().translate(_LETTERS) if letter.isalnum())


def alike(name: str, other: str) -> float:
    """How alike two names are: 1 for the same, 0 where they are too different to be one."""
    one, two = plain(name), plain(other)
    if not one or not two:
        return 0.0
    if one == two:
        return 1.0
    if len(name) == _SHORTENED and len(one) >= _LEAST_SHORTENED and two.startswith(one):
        return 0.95
    found = SequenceMatcher(None, one, two).ratio()
    return found if found >= _CLOSE else 0.0


def attribute_likeness(column: str, attribute: str, label: str) -> float:
    """How likely a column holds an attribute, by its name alone."""
    own = alike(column, attribute)
    others = max((alike(column, word) for word in (label, *SYNONYMS.get(attribute, ()))), default=0.0)
    return max(own, others * 0.9)  # the model's own name wins
