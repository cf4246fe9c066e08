"""The legend for machines: the style source in every theme and format, for everybody, as it lies in the packages."""

from typing import Any, Final

from fastapi import FastAPI, Response

from ler.packages.styles import load_styles
from ler.packages.styling.formats import StyleFormat

PATH: Final = "/api/v1/styles"
ONE: Final = f"{PATH}/{{theme}}.{{format}}"


def add_routes(app: FastAPI) -> None:
    """Add the routes."""
    app.add_api_route(PATH, styles, methods=["GET"], summary="Themes of the map style, and their formats")
    app.add_api_route(
        ONE, style, methods=["GET"], summary="A map style: MapLibre, QML, SLD, DXF or the legend as PDF"
    )


def styles() -> dict[str, Any]:
    """List the themes with their names and where each format of them is."""
    return {
        "themes": [
            {
                "theme": theme,
                "name": {"da": name.da, "en": name.en},
                "formats": {str(one): f"{PATH}/{theme}.{one}" for one in StyleFormat},
            }
            for theme, name in load_styles().themes
        ]
    }


def style(theme: str, format: StyleFormat) -> Response:  # noqa: A002 - as the address names it
    """Return the style of a theme in a format. The same in every answer until the platform is changed."""
    from ler.packages.styling.export import export_style  # noqa: PLC0415 - cairo and ezdxf are for those who ask for it

    content = export_style(load_styles(theme), format)
    return Response(content, media_type=format.media_type, headers={"Cache-Control": "public, max-age=3600"})
