"""The files of a package that are to be read first: whether anybody may dig, and what the files are. No markup."""

from pathlib import Path
from typing import Final

from ler.packages.addresses import sketches_in
from ler.packages.advice import Language, advice_text, advise, moment_text
from ler.packages.contents import Contents
from ler.packages.described import described_in, owners_files

_WORDS: Final = {
    "da": {
        "title": "Ledningspakke {number}, udgave {revision}, {moment}",
        "files": "Filer i pakken. Pak hele pakken ud i en mappe, før de åbnes.",
        "opens": "Åbnes med: {opens}",
        "other": "In English: README.txt",
        "addresses": "Skitser af stikledninger, efter adressens id (ingen skitse betyder ikke: ingen stikledning)",
        "no_sketch": "ingen ejer har sendt en skitse",
        "lost": "filen er gået tabt; bed {owner} om den, før der graves",
    },
    "en": {
        "title": "Package {number}, revision {revision}, {moment}",
        "files": "Files of the package. Unpack the whole package into a folder before you open them.",
        "opens": "Opened with: {opens}",
        "other": "På dansk: Laes_mig.txt",
        "addresses": "Sketches of house connections, by the address's id (no sketch does not mean: no connection)",
        "no_sketch": "no owner has sent a sketch",
        "lost": "the file is lost; ask {owner} for it before anybody digs",
    },
}


def write_danish(path: Path, contents: Contents) -> int:
    """Write the Danish file; it holds no features."""
    return _write(path, contents, "da")


def write_english(path: Path, contents: Contents) -> int:
    """Write the English file; it holds no features."""
    return _write(path, contents, "en")


def _write(path: Path, contents: Contents, language: Language) -> int:
    request, words = contents.request, _WORDS[language]
    told = moment_text(request.changed_at or request.created_at)
    lines = [
        advice_text(advise(request, contents.owners), language),
        words["title"].format(number=request.order_number, revision=request.revision, moment=told)
        + f"\r\n{words['other']}",
        words["files"],
    ]
    for name, one in described_in(contents):
        opens = words["opens"].format(opens=one.opens[language])
        lines.append(f"{name}\r\n  {one.words[language]}\r\n  {opens}")
    lines.append(owners_files(contents, language))
    if found := sketches_in(contents):
        rows = [words["addresses"]]
        for address_id, sketches in found.items():
            files = [one.member or words["lost"].format(owner=one.owner.name) for one in sketches]
            rows.append(f"{address_id}: {'; '.join(files) or words['no_sketch']}")
        lines.append("\r\n  ".join(rows))
    path.write_bytes("\r\n\r\n".join(lines).encode() + b"\r\n")
    return 0
