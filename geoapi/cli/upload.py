"""`ler upload`: an owner's file becomes the published version of its network."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from geoapi.cli.comparison import tell_comparison
from geoapi.cli.console import messages, results, say, settings_of
from geoapi.cli.remote_upload import upload_to
from geoapi.database import open_databases
from ingest.compare import Verdict
from ingest.findings import Findings
from ingest.load import NetworkRefusedError, Uploaded, publish_network
from ingest.stage import Mode
from ler.db.engine import transaction
from ler.db.tables import PLATFORM_OPERATOR
from ler.errors import InputError, RefusedError
from ler.services.registry import Organisation, get_owner

EXIT_WAITS = 1
"""Exit code of an upload that waits for its owner's word."""


def upload(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="LER GML 2.0.0 to 2.2.0, or any other format with --mapping.")],
    *,
    owner: Annotated[
        str | None, typer.Option("--owner", help="The owner's CVR number; with --server the token says it.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping of a file that is no LER GML: see ler mapping suggest.")
    ] = None,
    crs: Annotated[
        str | None, typer.Option(help="Coordinate system of a mapped file that does not say it.")
    ] = None,
    approve: Annotated[
        bool, typer.Option("--approve", help="Publish it even if what it changes looks suspicious.")
    ] = False,
    delta: Annotated[
        bool, typer.Option("--delta", help="The file holds what is new or different, not the whole network.")
    ] = False,
    delete: Annotated[
        list[str] | None, typer.Option("--delete", help="With --delta: a gml:id that ends; may be repeated.")
    ] = None,
    confirm_empty: Annotated[
        bool, typer.Option("--confirm-empty", help="Take the whole network away, if nothing is left of it.")
    ] = False,
    server: Annotated[
        str | None, typer.Option("--server", help="Upload to this service instead of the own database.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the access token; else LER_TOKEN.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Read an owner's network, compare it with the published one and publish it.

    A file with faults changes nothing, and all its faults are told. One that takes much away, moves everything or holds
    much twice waits, with exit code 1, until it is approved. Over HTTP an upload that was interrupted is taken up where
    it was when the command is given again.
    """
    if delete and not delta:
        raise RefusedError(
            "delete-without-delta", "--delete goes with --delta: a whole network says itself what ended"
        )
    if server is not None:
        wanted = {
            "mode": "delta" if delta else "full",
            "deletes": delete or [],
            "auto_approve": True,
            "crs": crs,
            "mapping": mapping.read_text(encoding="utf-8") if mapping else None,
            **({"confirm": "empty"} if confirm_empty else {}),
        }
        if upload_to(server, token_file, file, wanted, approve=approve, as_json=as_json):
            raise typer.Exit(EXIT_WAITS)
        return
    if owner is None:
        raise InputError("Say whose network it is: --owner CVR")
    settings = settings_of(ctx)
    with open_databases(settings) as databases:
        with transaction(databases.app, PLATFORM_OPERATOR) as connection:
            found = get_owner(connection, owner)
        try:
            with _progress() as progress, transaction(databases.app, found.id) as connection:
                task = progress.add_task(file.name, total=None)
                uploaded = publish_network(
                    *(connection, found, file, settings),
                    lambda count: progress.update(task, completed=count),
                    mode=Mode.DELTA if delta else Mode.FULL,
                    deletes=delete or (),
                    approve=approve,
                    confirm_empty=confirm_empty,
                    mapping=mapping,
                    crs=crs,
                )
        except NetworkRefusedError as refused:
            tell_findings(refused.findings)
            raise
    tell_findings(uploaded.staged.findings)
    _tell(uploaded, found, as_json=as_json)
    if uploaded.staged.decision.verdict is Verdict.NEEDS_APPROVAL and not uploaded.published:
        raise typer.Exit(EXIT_WAITS)


def tell_findings(findings: Findings) -> None:
    """Print the findings, a line each, and how many more there are of each kind."""
    for finding in findings.kept:
        say(f"{finding.severity}: {finding}")
    for (severity, code), count in findings.counts.items():
        if count > findings.cap:
            say(f"{severity}: {count - findings.cap:,} more of [{code}]")


def _tell(uploaded: Uploaded, owner: Organisation, *, as_json: bool) -> None:
    staged = uploaded.staged
    if as_json:
        told = {
            "owner": owner.cvr,
            "version": staged.number,
            "features": staged.feature_count,
            "published": uploaded.published,
            "decision": staged.decision.verdict,
            "reasons": staged.decision.reasons,
            "comparison": staged.comparison.to_json(),
        }
        results().print_json(json.dumps(told))
    else:
        tell_comparison(staged.comparison)
        results().print(f"{owner.name}: version {staged.number} with {staged.feature_count:,} features")
    if uploaded.published:
        say("It answers requests from now on.")
    elif staged.decision.verdict is Verdict.UNCHANGED:
        say(f"Nothing has changed since version {staged.comparison.base_number}; nothing was published.")
    else:
        say(
            f"It waits for approval ({', '.join(staged.decision.reasons)}) and answers no request until then."
        )
        say(f"Look at the figures; then: ler network approve --owner {owner.cvr} {staged.number}")
        say(f"or:                        ler network discard --owner {owner.cvr} {staged.number}")


def _progress() -> Progress:
    console = messages()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} features"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
