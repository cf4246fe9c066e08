"""Files from and to the neighbours' models, with an account of fields: IMKL to LER GML, LER GML or IMKL to IMKL or MUDDI.

And to the formats of CAD and GIS, which keep every field.

A file with faults is refused, as in `convert`; only what LER demands and IMKL does not have is told as to be added, since
nobody could mend it in the file. Features are held in memory.
"""

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

from ingest.convert import FaultyFileError, check_files
from ingest.crs import projection_to
from ingest.open_source import open_source
from ingest.readers.imkl.reader import ImklReader
from ingest.source import Source
from ler.errors import InputError, RefusedError
from ler.exchange.account import Account, Fate
from ler.model import ANSWER, VERSIONS, Feature
from ler.packages.exchange import RD_EPSG, Exchanged, ExchangeFormat, exchange_features
from ler.packages.exports.export import Exported, ExportFormat, export_features
from ler.packages.gml import Answer, write_answer
from ler.settings import Settings


def import_imkl(source: Path, target: Path, *, version: str, settings: Settings) -> Exchanged:
    """Write a file of IMKL, or a KLIC delivery, as LER GML of the newest version.

    Raises UnreadableFileError, FaultyFileError, RefusedError, InputError for an older version.
    """
    if version != VERSIONS[-1]:
        raise InputError(f"IMKL is converted to {VERSIONS[-1]}; convert the copy to {version} then")
    check_files(source, target)
    with open_source(source, settings=settings) as opened:
        if not isinstance(opened, ImklReader):
            raise RefusedError("format-not-supported", f"{source.name} holds no IMKL")
        features = list(opened)
        _refuse_faults(source, opened, opened.account)
        for name in ("id", "type"):
            opened.account.add(Fate.TO_ADD, ANSWER, name)
        answer = Answer(opened.stated_owner or "", "", Feature(ANSWER, "svar"), features)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".ler-convert-") as folder:
            workshop = Path(folder) / "copy.gml"
            with workshop.open("wb") as stream:
                write_answer(stream, answer, opened.model)
            workshop.replace(target)
        return Exchanged(target, len(features), opened.account, projection_to(RD_EPSG).accuracy_m)


def export_file(source: Path, target: Path, format_: ExchangeFormat, *, settings: Settings) -> Exchanged:
    """Write an owner's file in a neighbour's format. Raises what `exchange_features` and `open_source` raise, FaultyFileError."""
    check_files(source, target)
    with open_source(source, settings=settings) as opened:
        features = list(opened)
        account = Account()
        _refuse_faults(source, opened, account)
        exchanged = exchange_features(
            target,
            format_,
            features,
            opened.model,
            owner=opened.stated_owner or "",
            projection_to=projection_to,
        )
        if isinstance(opened, ImklReader):
            account.entries |= opened.account.entries
            exchanged = replace(exchanged, accuracy_m=_worse(exchanged.accuracy_m))
    for key, met in account.entries.items():
        exchanged.account.entries.setdefault(key, met)
    return exchanged


def export_layers(source: Path, target: Path, format_: ExportFormat, *, settings: Settings) -> Exported:
    """Write an owner's file, such as one of a package, in a format of CAD and GIS, with its mapping beside it.

    Raises what `export_features` and `open_source` raise, FaultyFileError.
    """
    check_files(source, target)
    with open_source(source, settings=settings) as opened:
        features = list(opened)
        _refuse_faults(source, opened, Account())
        return export_features(target, format_, features, opened.model)


def _worse(accuracy_m: float | None) -> float | None:
    """The accuracy of positions that came from RD and go on."""
    before = projection_to(RD_EPSG).accuracy_m
    return None if before is None or accuracy_m is None else max(before, accuracy_m)


def _refuse_faults(source: Path, opened: Source, account: Account) -> None:
    """Refuse a file with faults; what IMKL cannot say is no fault of the file, and goes to the account."""
    missing = Counter[tuple[str, str]]()
    if isinstance(opened, ImklReader):
        missing = opened.missing
    if opened.findings.errors > missing.total():
        raise FaultyFileError(source, opened.findings)
    for (kind, name), count in sorted(missing.items()):
        for _ in range(count):
            account.add(Fate.TO_ADD, kind, name)
