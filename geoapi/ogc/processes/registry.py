"""The processes there are, in the order in which they are listed; to add one is to write its module and name it here."""

from collections.abc import Mapping
from typing import Final

from geoapi.ogc.processes import (
    check_network,
    echo,
    excavation_request,
    find_conflicts,
    find_network_conflicts,
    propose_windows,
)
from geoapi.ogc.processes.process import Process
from ler.services.principals import Principal

PROCESSES: Final[Mapping[str, Process]] = {
    module.PROCESS.id: module.PROCESS
    for module in (
        excavation_request,
        find_conflicts,
        find_network_conflicts,
        propose_windows,
        check_network,
        echo,
    )
}


def visible_processes(caller: Principal | None) -> tuple[Process, ...]:
    """Return the processes that a caller sees; without a token, the public ones."""
    return tuple(one for one in PROCESSES.values() if is_visible(one, caller))


def is_visible(process: Process, caller: Principal | None) -> bool:
    """Whether a caller sees a process."""
    return process.scope is None or (caller is not None and process.scope in caller.scopes)
