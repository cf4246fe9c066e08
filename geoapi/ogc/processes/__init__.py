"""OGC API Processes: what the platform can do for a caller, described, called for and run as jobs."""
