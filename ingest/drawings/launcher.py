"""Starts the child that reads a drawing, and ends it when it takes too long.

GDAL takes its drivers and options from the environment when it is loaded, so the child is given an environment of its
own, in which only the drivers of pictures are left.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from ingest.child.confinement import lifeline
from ingest.drawings.limits import DrawingLimits
from ler.errors import RefusedError

_log = logging.getLogger(__name__)

ALLOWED_DRIVERS: Final = frozenset({"COG", "GTiff", "JPEG", "MEM", "PNG", "VRT"})
"""VRT is in memory only, in the writer of COGs; no file is opened with it, since each is opened by its one driver."""

_SKIPPED: Final = """
AAIGrid ACE2 ADRG AIG AVCBin AVCE00 AirSAR BAG BIGGIF BMP BSB BT BYN CALS CEOS COASP COSAR CPG CTG DAAS DERIVED DIMAP
DOQ1 DOQ2 DTED ECRGTOC EEDA EEDAI EHdr EIR ENVI ERS ESAT ESRI_Shapefile ESRIC ESRIJSON FAST GDALG GFF GIF GNMDatabase
GNMFile GPKG GRASSASCIIGrid GRIB GS7BG GSAG GSBG GSC GTI GTX GXF GenBin GeoJSON GeoJSONSeq HDF5 HDF5Image HF2 HFA HTTP
ILWIS IRIS ISCE ISG ISIS2 ISIS3 JAXAPALSAR JDEM JP2OpenJPEG KMLSUPEROVERLAY KRO L1B LAN LCP LIBERTIFF LOSLAS Leveller
MAP MBTiles MFF MFF2 MRF MSGN MVT MiraMonRaster NDF NGSGEOID NITF NOAA_B NSIDCbin NTv2 NWT_GRC NWT_GRD OSM PAux PCIDSK
PCRaster PDF PDS PDS4 PLMOSAIC PNM PRF RCM RIK RMF ROI_PAC RPFTOC RRASTER RS2 RST S102 S104 S111 SAFE SAGA SAR_CEOS
SENTINEL2 SIGDEM SNAP_TIFF SNODAS SQLite SRP SRTMHGT STACIT STACTA TGA TIL TSX Terragen TopoJSON USGSDEM VICAR WCS WEBP
WMS WMTS XYZ ZMap Zarr netCDF
"""


def environment() -> dict[str, str]:
    """Return all that the child's environment holds."""
    return {
        "LANG": "C.UTF-8",
        "GDAL_SKIP": ",".join(name.replace("_Shapefile", " Shapefile") for name in _SKIPPED.split()),
        "GDAL_DRIVER_PATH": "disable",
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_PAM_ENABLED": "NO",
        "GDAL_NUM_THREADS": "1",
        "GDAL_CACHEMAX": "128",
        "GDAL_HTTP_TIMEOUT": "1",
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "CPL_CURL_ENABLE_VSIMEM": "NO",
        "PROJ_NETWORK": "OFF",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def run_child(job: dict[str, Any], limits: DrawingLimits, folder: Path) -> dict[str, Any]:
    """Let a child do a job; return its result. `folder` is the only place in which it can write.

    RefusedError("parser-crashed") when it died, was killed by its limits, or took longer than `wall_s`.
    """
    command = [sys.executable, "-I", "-m", "ingest.drawings.child"]
    ours, theirs = lifeline()
    told = json.dumps({**job, "limits": asdict(limits), "lifeline": theirs})
    try:
        process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment() | {"TMPDIR": str(folder), "CPL_TMPDIR": str(folder), "HOME": str(folder)},
            pass_fds=(theirs,),
            text=True,
            start_new_session=True,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    try:
        answer, said = process.communicate(told, timeout=limits.wall_s)
    except subprocess.TimeoutExpired:
        answer, said = "", "took too long"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        os.close(ours)
    if process.returncode != 0 or not answer:
        _log.warning("the reader of a drawing ended with %s: %s", process.returncode, said[-2000:])
        raise RefusedError(
            "parser-crashed",
            "the drawing could not be read: its reader was stopped. It is damaged, or takes too much memory or time."
            " Save it anew with another program, or in smaller parts",
        )
    result: dict[str, Any] = json.loads(answer)
    return result
