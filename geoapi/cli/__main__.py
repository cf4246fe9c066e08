"""`python -m geoapi.cli`: the command line without its script."""

from geoapi.cli import main

main()
