"""Readers of owners' files, one a format."""
