"""Checks of a whole network in the database: what features refer to, how they lie to each other, how lines are drawn.

The input is `ler.staged_feature`, one version at a time; the rules are set operations in `sql/`, one file each.
"""

from ingest.network_checks.run import check_network, checked_version
from ingest.network_checks.settings import NetworkCheckSettings

__all__ = ["NetworkCheckSettings", "check_network", "checked_version"]
