"""The official LER schemas as a test oracle: they lie beside the checkout and are never part of the project."""

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

HOME = Path(os.environ.get("LER_OFFICIAL", Path(__file__).parents[2] / "shared" / "ler"))
SAMPLES = HOME / "samples"

needs_schemas = pytest.mark.skipif(
    not (HOME / "xsd").is_dir(),
    reason=f"the official LER schemas are not at {HOME / 'xsd'} (set LER_OFFICIAL)",
)
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"the sample answers are not at {SAMPLES} (set LER_OFFICIAL)"
)

# libxml2 takes the first import of a namespace: in this order no file is asked for by its web address.
_IMPORTS = {
    "http://www.w3.org/XML/1998/namespace": "http/www.w3.org/2001/xml.xsd",
    "http://www.w3.org/1999/xlink": "http/www.w3.org/1999/xlink.xsd",
    "http://purl.org/dc/terms/": "https/www.dublincore.org/schemas/xmls/qdc/2008/02/11/dcterms.xsd",
    "http://www.opengis.net/gml/3.2": "http/schemas.opengis.net/gml/3.2.1/gml.xsd",
    "http://www.isotc211.org/2005/gco": "http/schemas.opengis.net/iso/19139/20070417/gco/gco.xsd",
    "http://www.isotc211.org/2005/gsr": "http/schemas.opengis.net/iso/19139/20070417/gsr/gsr.xsd",
    "http://www.isotc211.org/2005/gss": "http/schemas.opengis.net/iso/19139/20070417/gss/gss.xsd",
    "http://www.isotc211.org/2005/gts": "http/schemas.opengis.net/iso/19139/20070417/gts/gts.xsd",
    "http://www.isotc211.org/2005/gmd": "http/schemas.opengis.net/iso/19139/20070417/gmd/gmd.xsd",
    "http://www.isotc211.org/2005/gmx": "https/schemas.isotc211.org/19139/-/gmx/1.0/gmx.xsd",
}


@cache
def _usable_copy() -> Path:
    """The schemas in a folder of this test run, without the empty locations that libxml2 takes for the file itself."""
    target = Path(tempfile.mkdtemp(prefix="ler-schemas-"))
    atexit.register(shutil.rmtree, target)
    for source in (HOME / "xsd").rglob("*.xsd"):
        copy = target / source.relative_to(HOME / "xsd")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes().replace(b'schemaLocation=""', b""))
    return target


@cache
def official_schema(version: str = "2.2.0") -> etree.XMLSchema:
    """The official schema of one version, ready to validate documents."""
    home = _usable_copy()
    files = {namespace: home / path for namespace, path in _IMPORTS.items()}
    for part in ("dimensions", "annotations", "ler"):
        path = home / version / f"{version.rpartition('.')[0]}_{part}.xsd"
        files[etree.parse(path).getroot().attrib["targetNamespace"]] = path
    imports = "".join(f'<import namespace="{n}" schemaLocation="{p.as_uri()}"/>' for n, p in files.items())
    wrapper = f'<schema xmlns="http://www.w3.org/2001/XMLSchema">{imports}</schema>'
    return etree.XMLSchema(etree.fromstring(wrapper))


def schema_errors(path: Path, version: str = "2.2.0") -> list[str]:
    """What the official schema has against a file, a line each."""
    schema = official_schema(version)
    schema.validate(etree.parse(path))
    return [f"line {error.line}: {error.message}" for error in schema.error_log]


def feature_errors(path: Path, version: str = "2.2.0") -> list[str]:
    """What the official schema has against the features of a collection as the register writes it, a line each.

    Each is held against the schema by itself, without the elements of no namespace that join it to its owner.
    """
    schema = official_schema(version)
    found = []
    for member in etree.parse(path).iterfind("{*}featureMember"):
        (feature,) = member
        if (
            "{http://www.opengis.net/gml/3.2}id" not in feature.attrib
        ):  # the register's own, which join the features
            continue
        for element in feature.findall("{}*"):
            feature.remove(element)
        schema.validate(etree.fromstring(etree.tostring(feature)))
        found += [f"line {feature.sourceline}: {error.message}" for error in schema.error_log]
    return found
