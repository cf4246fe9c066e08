"""`ler worker`: checks and publishes what owners upload, and makes the packages of requests."""

import logging

import typer

from conflicts.clearances import load_clearances
from geoapi.cli.console import say, settings_of
from geoapi.database import open_databases
from geoapi.network_pipeline import NetworkPipeline
from geoapi.package_work import PackageWork
from geoapi.platform import Platform, upload_files
from geoapi.work import Work
from geoapi.worker import run_worker


def worker(ctx: typer.Context) -> None:
    """Work until told to stop (SIGTERM, Ctrl-C); what was begun is then handed back within 25 s."""
    settings = settings_of(ctx)
    # Rules that are not sound would keep every package waiting.
    load_clearances(settings.clearances)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    with open_databases(settings) as databases:
        platform = Platform(settings, databases, upload_files(settings))
        say(f"Working; uploads lie in {platform.files.root}")
        work = Work(platform, NetworkPipeline(settings))
        packages = PackageWork(platform)
        run_worker(work, packages, concurrency=settings.worker_concurrency, sweep_s=settings.sweep_s)
    say("Stopped.")
