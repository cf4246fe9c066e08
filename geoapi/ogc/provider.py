"""Our provider for pygeoapi: the fields of a collection, and its features for who acts.

pygeoapi makes one for each call and tells it nothing of the call. Who acts and what it asks stands in `acting` of the
provider's definition, which is made for that call alone; without it the provider refuses to read.
"""

from typing import Any

from pygeoapi.provider.base import BaseProvider, ProviderQueryError

from geoapi.ogc.collections import Collection, all_collections
from geoapi.ogc.schemas import property_schema


class PostGisProvider(BaseProvider):  # type: ignore[misc]
    """One collection of `geoapi.ogc.collections`, read through the gate."""

    def __init__(self, provider_def: dict[str, Any]) -> None:
        super().__init__(provider_def)
        self.collection: Collection = all_collections()[provider_def["data"]]
        self.acting = provider_def.get("acting")
        self._fields = self.get_fields()

    def get_fields(self) -> dict[str, Any]:
        """Return the JSON schema of each property."""
        return {one.name: property_schema(one, "en") for one in self.collection.properties}

    def query(self, **_: Any) -> dict[str, Any]:  # noqa: ANN401 - as pygeoapi asks
        """Return the page that was asked for, as GeoJSON."""
        return self._read()

    def get(self, identifier: str, **_: Any) -> dict[str, Any]:  # noqa: ANN401, ARG002 - as pygeoapi asks
        """Return the feature that was asked for."""
        return self._read()

    def _read(self) -> dict[str, Any]:
        if self.acting is None:
            raise ProviderQueryError("nobody acts")
        found: dict[str, Any] = self.acting()
        return found
