"""Features that callers create, replace, change and remove (Features 4), each by the service that judges them."""
