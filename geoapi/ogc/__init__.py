"""The platform's OGC APIs: collections, items, filters, tiles and processes, all behind one access control."""
