"""Records of a file to features, column by column: what `ingest.mapped_source` is made of."""
