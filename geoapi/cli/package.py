"""`ler package`: whether a package is what was delivered, without a database or a network; the keys that sign packages."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from geoapi.cli.acting import AsJson
from geoapi.cli.console import ReportingGroup, results, say, settings_of
from geoapi.cli.package_diff import diff
from ler.packages.signature import public_file, public_of, read_public
from ler.packages.verify import Trust, TrustedKeys, Verdict, verify_package
from ler.settings import Settings
from ler.signing import KeyFolder

app = typer.Typer(
    cls=ReportingGroup, add_completion=False, no_args_is_help=True, help="Packages as files, and their keys."
)

app.command()(diff)

EXIT_CHANGED: Final = 1

_TRUST: Final = {
    Trust.GIVEN: "Signed by the key that you gave, {key}.",
    Trust.PINNED: "Signed by the key {key}, which the settings trust.",
    Trust.CARRIED: "Signed by the key {key} that the package itself carries: it shows that nothing was damaged, not who "
    "made it. Give the platform's public key with --key to know that, too.",
    Trust.NONE: "No signature could be verified.",
}


@app.command()
def verify(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A package's ZIP, or the folder that it was unpacked to.")],
    *,
    key: Annotated[
        list[str] | None,
        typer.Option(
            "--key", help="Public key that you trust, as minisign has it, or its file; may be repeated."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare every file of a package with what was signed, and name what was changed; then the exit code is 1."""
    trusted = (
        TrustedKeys([read_public(one) for one in key], Trust.GIVEN) if key else _pinned(settings_of(ctx))
    )
    verdict = verify_package(file, trusted)
    if as_json:
        results().print_json(json.dumps(verdict.document()))
    else:
        _tell(verdict)
    if not verdict.holds:
        raise SystemExit(EXIT_CHANGED)


@app.command(name="key")
def key_(
    ctx: typer.Context,
    *,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="First make another key to sign with from now on.")
    ] = False,
) -> None:
    """Print the public key of packages, as a file that minisign takes too: give it to whoever verifies them."""
    keys = KeyFolder(settings_of(ctx).key_folder)
    key = keys.rotate() if rotate else keys.signing_key
    results().print(public_file(key.public), end="")


def _pinned(settings: Settings) -> TrustedKeys:
    keys = [*map(public_of, settings.package_keys), *KeyFolder(settings.key_folder).public_keys()]
    return TrustedKeys(keys, Trust.PINNED) if keys else TrustedKeys()


def _tell(verdict: Verdict) -> None:
    manifest = verdict.manifest
    wrong = {flaw.member for flaw in verdict.flaws}
    if manifest is not None:
        kind = f"{manifest.kind} package" + (f", revision {manifest.revision}" if manifest.revision else "")
        table = Table(
            "File", "Bytes", "Features", "", title=f"Request {manifest.request.order_number}, {kind}"
        )
        for one in manifest.members:
            state = Text("CHANGED", style="bold red") if one.path in wrong else Text("as delivered")
            table.add_row(one.path, str(one.size_bytes), str(one.feature_count or ""), state)
        results().print(table)
    for flaw in verdict.flaws:
        results().print(
            Text.assemble(("WRONG ", "bold red"), f"{flaw.member or 'the package'}: {flaw.message}")
        )
    say(_TRUST[verdict.trust].format(key=(verdict.key_id or "").upper()))
    if verdict.holds and manifest is not None:
        words = "" if manifest.complete else " It is not complete: owners owe answers. DO NOT DIG."
        say(f"Everything is as it was delivered.{words}")
