"""The style source in the languages of others: one generator each, all fed by `ler.packages.styles`."""
