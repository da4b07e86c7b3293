# SPDX-License-Identifier: Apache-2.0
"""Network namespaces with one TAP each, made without privileges and gone when their holder process ends.

`enter_sandbox` re-executes the program in a user, mount, network and PID namespace of its own (`unshare -Urnmpf`), as
real root only in network, mount and PID namespaces where the kernel refuses user namespaces. The program is the first
process there: the kernel ends all others with it, and it ends itself when the process that called `enter_sandbox` is
gone. `Namespace` is a child process in a further network namespace that holds one TAP; the TAP's file descriptor comes
back over a socket pair, so any process may bridge it. Linux only.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TUNSETIFF = 0x400454CA
_IFF_TAP, _IFF_NO_PI = 0x0002, 0x1000
_CLONE_NEWNET = 0x40000000
_PR_SET_PDEATHSIG = 1
_INSIDE = "HILNIC_SANDBOX"
_TUN = Path("/dev/net/tun")
_NEEDED = ("unshare", "nsenter", "ip")


class SandboxError(Exception):
    """This machine cannot make the namespaces; the text says why and what would help."""


class ToolsMissing(SandboxError):
    """Programs that make them are not installed."""


def inside_sandbox() -> bool:
    """Whether this process already runs in the sandbox made by `enter_sandbox`."""
    return _INSIDE in os.environ


def end_with_parent() -> None:
    """In the sandbox: end, and everything in it, when the process that made it has gone."""
    lifeline = int(os.environ[_INSIDE])

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def sandbox_command() -> list[str]:
    """The command line that opens the sandbox here, tried out; SandboxError when there is none."""
    missing = [tool for tool in _NEEDED if shutil.which(tool) is None]
    if missing:
        raise ToolsMissing(f"missing: {', '.join(missing)} (Debian: apt-get install util-linux iproute2)")
    attempts = [["unshare", "-Urnmpf", "--mount-proc", "--kill-child"]]
    if os.geteuid() == 0:
        attempts.append(["unshare", "-nmpf", "--mount-proc", "--kill-child"])
    reasons = []
    for command in attempts:
        probe = [*command, sys.executable, "-c", f"open({str(_TUN)!r}, 'r+b', buffering=0).close()"]
        result = subprocess.run(probe, capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return command
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        reasons.append(f"`{' '.join(command)}`: {last}")
    raise SandboxError(
        "no network namespace with a TAP can be made here: "
        + "; ".join(reasons)
        + f" (needs user namespaces or root, and a readable and writable {_TUN})"
    )


def enter_sandbox(argv: Sequence[str]) -> int:
    """Run `argv` in the sandbox and return its exit code; the sandbox and all in it end with the command.

    Raises `SandboxError` when the kernel refuses.
    """
    command = sandbox_command()
    theirs, ours = os.pipe()
    with subprocess.Popen(
        [*command, *argv], env={**os.environ, _INSIDE: str(theirs)}, pass_fds=[theirs], start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            return process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGINT)
            return _patiently(process, ours)
        finally:
            with contextlib.suppress(OSError):
                os.close(ours)


def _patiently(process: subprocess.Popen[bytes], lifeline: int) -> int:
    """Wait for an orderly end; cut the lifeline at a second interrupt or after ten seconds. The exit code."""
    try:
        return process.wait(10)
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        os.close(lifeline)
        process.wait()
        return 128 + signal.SIGINT


def _open_tap(name: str) -> int:
    descriptor = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI))
    return descriptor


@dataclass(frozen=True, slots=True)
class Interface:
    """What the TAP of a namespace is called and how it is addressed; `address` is in CIDR form, `mac` six octets."""

    name: str
    address: str
    mac: bytes
    mtu: int = 1500
    queue_length: int = 64

    @property
    def ip(self) -> str:
        """The address without its prefix length."""
        return self.address.split("/", 1)[0]


def _quiet_ipv6() -> None:
    """No router solicitations or duplicate detection: only the traffic that was asked for is on the wire."""
    for scope in ("all", "default"):
        with contextlib.suppress(OSError):
            Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")


def _hold(interface: Interface, channel: socket.socket) -> None:
    """Child process: make the namespace and the TAP, hand its descriptor over, then stay until the parent ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise SandboxError(f"unshare(CLONE_NEWNET): {os.strerror(ctypes.get_errno())}")
    _quiet_ipv6()
    descriptor = _open_tap(interface.name)
    for words in (
        "link set lo up",
        f"link set {interface.name} address {interface.mac.hex(':')} mtu {interface.mtu}",
        f"link set {interface.name} txqueuelen {interface.queue_length}",
        f"addr add {interface.address} dev {interface.name}",
        f"link set {interface.name} up",
    ):
        subprocess.run(["ip", *words.split()], check=True, capture_output=True, text=True)
    socket.send_fds(channel, [b"ok"], [descriptor])
    os.close(descriptor)
    channel.recv(1)


class Namespace:
    """A network namespace whose only way out is one TAP; `tap` is its file descriptor (non-blocking, whole frames)."""

    def __init__(self, interface: Interface) -> None:
        self.interface = interface
        self._channel, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._child(interface, theirs)
        theirs.close()
        message, descriptors, _flags, _address = socket.recv_fds(self._channel, 4096, 1)
        if not descriptors:
            raise SandboxError(f"namespace for {interface.name}: {message.decode(errors='replace') or 'no answer'}")
        self.tap = descriptors[0]

    def __repr__(self) -> str:
        return f"Namespace({self.interface.name} {self.interface.address} pid={self._pid})"

    def _child(self, interface: Interface, channel: socket.socket) -> None:
        """Never returns; what goes wrong is told to the parent in words."""
        self._channel.close()
        try:
            _hold(interface, channel)
        except subprocess.CalledProcessError as error:
            channel.send(f"{' '.join(error.cmd)}: {error.stderr.strip()}".encode())
        except (OSError, SandboxError) as error:
            channel.send(str(error).encode())
        finally:
            os._exit(0)

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` in this namespace."""
        return ["nsenter", f"--net=/proc/{self._pid}/ns/net", "--", *argv]

    def run(self, argv: Sequence[str], timeout: float) -> subprocess.CompletedProcess[str]:
        """Run `argv` in this namespace to its end; output captured, exit code not judged."""
        return subprocess.run(self.command(argv), capture_output=True, text=True, check=False, timeout=timeout)

    def start(self, argv: Sequence[str]) -> subprocess.Popen[str]:
        """Start `argv` in this namespace; the caller ends it."""
        return subprocess.Popen(self.command(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def close(self) -> None:
        """Close the TAP and end the namespace's holder."""
        os.close(self.tap)
        self._channel.close()
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
