"""What a caller may do: scopes of access tokens, as `resource:action`."""

from enum import StrEnum


class Scope(StrEnum):
    """One permission that a token carries."""

    ANSWER_READ = "answer:read"
    """Fetch what the own organisation was asked, and see what was answered."""
    ANSWER_WRITE = "answer:write"
    """Acknowledge, answer, correct and withdraw."""
    AUDIT_READ = "audit:read"
    """Read the audit trail: the own part of it, or all by grant."""
    DAMAGE_READ = "damage:read"
    """Read damages, deviations and claims."""
    DAMAGE_WRITE = "damage:write"
    """Report damages and deviations, and handle claims."""
    NETWORK_APPROVE = "network:approve"
    """Approve or reject a staged version of the own network."""
    NETWORK_READ = "network:read"
    """Read the own network, uploads and their reports."""
    NETWORK_UPLOAD = "network:upload"
    """Upload files, and take them back."""
    NOTICE_READ = "notice:read"
    """Read the own notices as stream and feed."""
    NOTICE_WRITE = "notice:write"
    """Say where notices are sent: webhooks and addresses."""
    REGISTER_READ = "register:read"
    """Read the register: the own organisation, its areas, contacts, members, mandates and grants."""
    REGISTER_WRITE = "register:write"
    """Change them."""
    REQUEST_READ = "request:read"
    """Read the own requests and fetch their packages."""
    REQUEST_WRITE = "request:write"
    """Send requests, extend, renew and cancel them."""
    TOKEN_WRITE = "token:write"  # noqa: S105 - a name
    """Hand out tokens of the own organisation with no more than one's own rights, and revoke them."""
