"""Engine, roles, tables, SQL functions and migrations of the PostGIS database."""
