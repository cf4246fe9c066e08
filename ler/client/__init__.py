"""A client of a service of this platform: ask, fetch packages, read tables, upload networks, edit works, run processes.

It speaks to any service over HTTP and needs nothing of what a service is made of: no database, no settings. What the
commands with `--server` do, they do by it.
"""

from ler.client.client import Client
from ler.client.problem import ProblemError

__all__ = ["Client", "ProblemError"]
