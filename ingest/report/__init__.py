"""What a check found, told: as JSON, as a page of HTML with a map, as a GeoPackage."""
