"""What a reading process gives up before it opens an owner's file: memory, time, network, other files, other programs.

Each layer holds by itself, and what the kernel does not offer is left out and told: resource limits and no new
privileges always; an own network namespace where that is allowed; Landlock (Linux 5.13) closes every file but the
libraries and the child's own folder; a system call filter closes sockets and the start of programs.
"""

import ctypes
import fcntl
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ingest.child.limits import MIB, ChildLimits

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_F_SETSIG: Final = 10

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_ALL_OF_ABI: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Kinds of access to files that each version of Landlock knows; 4 added the network."""
_TCP: Final = 3
_OF_FILES: Final = _EXECUTE | _WRITE | _READ | 1 << 14

_ALLOW, _EPERM, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_X32: Final = 0x40000000
_FILTERS: Final = {
    # architecture: its audit number; socket, connect, socketpair, execve, execveat, fork, vfork, ptrace, mount,
    # unshare, setns, bpf, io_uring_setup, kill
    "x86_64": (0xC000003E, (41, 42, 53, 59, 322, 57, 58, 101, 165, 272, 308, 321, 425, 62)),
    "aarch64": (0xC00000B7, (198, 203, 199, 221, 281, 117, 40, 97, 268, 280, 425, 129)),
}


def limit_resources(limits: ChildLimits) -> None:
    """Memory, processor time, size of files and their number, and no memory image of a crash."""
    for kind, figure in (
        (resource.RLIMIT_AS, limits.memory_mb * MIB),
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_FSIZE, limits.file_mb * MIB),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        most = figure if hard == resource.RLIM_INFINITY else min(figure, hard)
        resource.setrlimit(kind, (most, most))


def lifeline() -> tuple[int, int]:
    """Ends of a pipe for `die_with_parent`: ours, which closes with this process, and the child's."""
    theirs, ours = os.pipe()
    return ours, theirs


def die_with_parent(theirs: int) -> None:
    """Have the kernel end this process when the other end of the pipe `theirs` closes, whatever it is doing then."""
    fcntl.fcntl(theirs, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(theirs, _F_SETSIG, signal.SIGKILL)
    flags = fcntl.fcntl(theirs, fcntl.F_GETFL)
    fcntl.fcntl(theirs, fcntl.F_SETFL, flags | os.O_ASYNC | os.O_NONBLOCK)
    try:
        gone = os.read(theirs, 1) == b""
    except BlockingIOError:
        gone = False
    if gone:  # before the kernel was told to watch
        os.kill(os.getpid(), signal.SIGKILL)


def confine(readable: Iterable[Path], writable: Path) -> dict[str, bool]:
    """Give up everything else; `readable` are the files to read. Returns which layers hold."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    return {
        "network": _leave_network(),
        "files": _close_files(libc, [*readable, *map(Path, {sys.prefix, sys.base_prefix})], writable),
        "calls": _filter_calls(libc),
    }


def _leave_network() -> bool:
    """An own network with nothing in it; without the right to make one, an own user who may."""
    for wanted in (os.CLONE_NEWNET, os.CLONE_NEWUSER | os.CLONE_NEWNET):
        try:
            os.unshare(wanted)
        except OSError:
            continue
        return True
    return False


def _close_files(libc: ctypes.CDLL, readable: Iterable[Path], writable: Path) -> bool:
    version = libc.syscall(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    everything = _ALL_OF_ABI[max(known for known in _ALL_OF_ABI if known <= version)]
    attributes = struct.pack("QQ", everything, _TCP)[: 16 if version >= 4 else 8]  # noqa: PLR2004 - see above
    rules = libc.syscall(_LANDLOCK_CREATE, attributes, len(attributes), 0)
    if rules < 0:
        return False
    for path in readable:
        _open_path(libc, rules, path, (_READ | _READ_DIR) & everything)
    _open_path(libc, rules, writable, everything & ~_EXECUTE)
    holds: bool = libc.syscall(_LANDLOCK_RESTRICT, rules, 0) == 0
    os.close(rules)
    return holds


def _open_path(libc: ctypes.CDLL, rules: int, path: Path, access: int) -> None:
    here = os.open(path, os.O_PATH)
    try:
        rule = struct.pack("=Qi", access if path.is_dir() else access & _OF_FILES, here)
        if libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock rule")
    finally:
        os.close(here)


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_char_p)]


def _filter_calls(libc: ctypes.CDLL) -> bool:
    known = _FILTERS.get(platform.machine())
    if known is None:
        return False
    architecture, forbidden = known
    steps = [(_LOAD, 0, 0, 4), (_IF_EQUAL, 1, 0, architecture), (_RETURN, 0, 0, _KILL), (_LOAD, 0, 0, 0)]
    steps += [(_IF_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _EPERM)]
    for number in forbidden:
        steps += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("HBBI", *step) for step in steps)
    program = _Program(len(steps), code)
    held: bool = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0
    return held
