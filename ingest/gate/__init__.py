"""The gate: what a file is by its bytes, and whether it may be read at all. Nothing of a file is ever executed."""
