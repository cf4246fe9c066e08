"""What everybody may know before asking: limits, codes, prices, deadlines and how long what is kept."""

from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Request

from geoapi.platform import platform_of
from geoapi.request_bodies import MOST_AREAS
from geoapi.request_forms import MOST_FILES
from ingest.area_file import MAX_BYTES
from ler.domain.dig_area import MAX_VERTICES
from ler.domain.law import deadline_figures, fee_figures, in_force
from ler.domain.legal_time import legal_day
from ler.domain.request_rules import (
    DEEPEST_M,
    LONGEST_DESCRIPTION,
    LONGEST_ORDER_REFERENCE,
    MOST_ADDRESSES,
    DigKind,
)
from ler.domain.work_codes import work_kinds, work_methods
from ler.model import load_model
from ler.settings import Settings

PATH = "/api/v1/limits"


def add_routes(app: FastAPI) -> None:
    """Add the route."""
    app.add_api_route(PATH, limits, methods=["GET"], summary="Limits, codes, prices, deadlines and retention")


def limits(request: Request) -> dict[str, Any]:
    """Say what a request may be, what it costs, until when owners answer, and how long what is kept."""
    settings = platform_of(request).settings
    return {
        "area": _area(settings),
        "request": _request(settings),
        "order": {"areas": MOST_AREAS},
        "codes": {
            "kinds": [kind.value for kind in DigKind],
            "work_kinds": work_kinds(),
            "work_methods": work_methods(),
            "utility_types": sorted(load_model().code_lists["Forsyningsart"].values),
        },
        "price": _price(),
        "deadlines": _deadlines(),
        "validity": {
            "data": "until the day that the owner's answer says (gyldigTil); the law sets none",
            "request": "until its last day, in legal time (Europe/Copenhagen)",
            "free_renewal_days": settings.free_renewal_days,
        },
        "retention": {
            "requests_years": settings.keep_requests_years,
            "network_versions_days": settings.keep_versions_days,
            "staged_networks_days": settings.keep_staged_days,
        },
    }


def _area(settings: Settings) -> dict[str, Any]:
    return {
        "max_m2": settings.max_area_m2,
        "min_m2": settings.min_area_m2,
        "max_parts": settings.max_polygons,
        "max_vertices": MAX_VERTICES,
        "max_corridor_width_m": settings.max_corridor_width_m,
        "coverage": {"crs": "EPSG:25832", "bbox": settings.coverage},
        "files": {
            "formats": ["geojson", "wkt", "gpkg", "shapefile in zip", "dxf", "kml"],
            "max_bytes": MAX_BYTES,
            "max_files": MOST_FILES,
        },
        "lines_delivered_outside_m": settings.clip_buffer_m,
        "lines_delivered_by_band": settings.deliver_bands,
    }


def _request(settings: Settings) -> dict[str, Any]:
    return {
        "description_characters": LONGEST_DESCRIPTION,
        "purpose_characters": LONGEST_DESCRIPTION,
        "order_reference_characters": LONGEST_ORDER_REFERENCE,
        "depth_m": DEEPEST_M,
        "addresses": MOST_ADDRESSES,
        "longest_period_days": settings.longest_period_days,
        "days_ahead": settings.days_ahead,
        "days_back": settings.days_back,
        "days_back_when_started": settings.days_back_when_started,
    }


def _price() -> dict[str, Any]:
    figures = in_force(fee_figures(), legal_day(datetime.now(UTC)))
    return {
        "currency": "DKK",
        "per_m2": str(figures.price_per_m2),
        "yearly_cap": str(figures.yearly_cap),
        "free_m2_a_year": str(figures.free_m2_a_year),
        "not_invoiced_below": str(figures.invoice_floor),
        "valid_from": figures.valid_from.isoformat(),
        "sources": dict(figures.sources),
    }


def _deadlines() -> dict[str, Any]:
    figures = in_force(deadline_figures(), legal_day(datetime.now(UTC)))
    return {
        "clock_opens": figures.clock_opens.isoformat("minutes"),
        "clock_closes": figures.clock_closes.isoformat("minutes"),
        "answer_within_hours": figures.answer_within.total_seconds() / 3600,
        "outside_hours_by": figures.outside_hours_by.isoformat("minutes"),
        "manual_handling_working_days": figures.manual_working_days,
        "dispensation_working_days": figures.dispensation_working_days,
        "sources": dict(figures.sources),
    }
