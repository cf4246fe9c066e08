"""Writers of what leaves the platform: one a format, and the package that holds them."""
