"""What every reader of owners' files gives: the network, feature by feature, whatever the format.

The stage, the check and the comparison read nothing else, so that a format is one more `Source` and no more.
"""

from collections.abc import Iterator
from typing import Protocol

from ingest.findings import Findings
from ler.model import Feature, Model


class Source(Protocol):
    """An owner's network. Iterate over it once; after the last feature `findings` and `header` are complete.

    Features have their geometry in EPSG:25832 with DVR90 heights, NaN where nobody knows the height; `line` is the line
    of a GML file, or the number of the record (from 1) of any other.
    """

    @property
    def model(self) -> Model:
        """The version of the model that the features follow."""

    @property
    def findings(self) -> Findings:
        """What is wrong with the file."""

    @property
    def header(self) -> Feature:
        """The answer's own attributes; without any where the format has no place for them."""

    @property
    def stated_owner(self) -> str | None:
        """CVR number that the file itself names; known when the last feature has come."""

    def __iter__(self) -> Iterator[Feature]:
        """The features in the order of the file."""
