"""What a caller may do: scopes of access tokens, as `resource:action`."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission that a token carries."""

    NETWORK_APPROVE = "network:approve"
    """Approve or reject a staged version of the own network."""
    NETWORK_READ = "network:read"
    """Read the own network, uploads and their reports."""
    NETWORK_UPLOAD = "network:upload"
    """Upload files, and take them back."""
