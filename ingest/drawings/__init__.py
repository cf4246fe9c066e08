"""Owners' georeferenced drawings: checked, brought to EPSG:25832, and written anew as tiled GeoTIFFs.

`make.py` is the way in. What a native parser reads of a file it reads in a child process (`child.py`), which has little
memory, little time, no network, and the drivers of three formats. What is delivered is never the owner's file but
pixels and a place: no tags, names, comments or references of the original live on.
"""
