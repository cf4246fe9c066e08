"""The LER GML data model as data: feature types, attributes, code lists and the values they hold."""
