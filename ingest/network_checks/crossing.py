"""Where a line first meets itself."""

import shapely
from shapely.geometry.base import BaseGeometry


def first_crossing(geometry: BaseGeometry) -> tuple[float, float] | None:
    """Return the first place at which a part of a line in the plane meets an earlier piece of it; None if none does.

    The shortest beginning of the part that is not simple is found by halving, so that a line of n vertices costs
    log n tests and never the list of all its crossings, of which there may be n².
    """
    for part in shapely.get_parts(shapely.force_2d(geometry)):
        xy = shapely.get_coordinates(shapely.remove_repeated_points(part))
        if len(xy) < 3 or shapely.LineString(xy).is_simple:  # noqa: PLR2004 - two vertices make one segment
            continue
        simple, meets = 2, len(xy)
        while meets - simple > 1:
            middle = (simple + meets) // 2
            if shapely.LineString(xy[:middle]).is_simple:
                simple = middle
            else:
                meets = middle
        last, before = shapely.LineString(xy[meets - 2 : meets]), shapely.LineString(xy[: meets - 1])
        common = shapely.get_coordinates(last.intersection(before))
        away = [point for point in common if tuple(point) != tuple(xy[meets - 2])]
        x, y = away[0] if away else xy[meets - 2]
        return float(x), float(y)
    return None
