"""A whole network as a file of a common format, with the mapping that reads it again.

The writers are driven by the model; each says what its format cannot hold. `export_features` chooses the writer.
"""
