# SPDX-License-Identifier: Apache-2.0
"""What `hilnic live` reads from ping, how it judges, and that its sandbox leaves nothing behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from hilnic.apps import live, live_http, netns
from hilnic.apps.live import Ping
from hilnic.apps.outcome import Exit, Stop
from hilnic.apps.session import Session

IPUTILS = """PING 10.77.0.2 (10.77.0.2) 56(84) bytes of data.
64 bytes from 10.77.0.2: icmp_seq=1 ttl=64 time=2.19 ms

--- 10.77.0.2 ping statistics ---
20 packets transmitted, 19 received, 5% packet loss, time 191ms
rtt min/avg/max/mdev = 2.190/7.931/24.501/5.000 ms, pipe 2
"""
BUSYBOX = """--- 10.77.0.2 ping statistics ---
3 packets transmitted, 3 packets received, 0% packet loss
round-trip min/avg/max = 0.050/0.060/0.070 ms
"""


def test_the_summary_of_both_pings_is_read():
    assert Ping.parse(IPUTILS) == Ping(20, 19, 2.19, 7.931, 24.501)
    assert Ping.parse(BUSYBOX) == Ping(3, 3, 0.05, 0.06, 0.07)


def test_one_missing_answer_is_not_complete():
    assert not Ping.parse(IPUTILS).complete
    assert Ping.parse(BUSYBOX).complete


def test_no_answer_at_all_is_read_too():
    ping = Ping.parse("5 packets transmitted, 0 received, 100% packet loss, time 4100ms\n")
    assert (ping.received, ping.complete) == (0, False)


def test_a_ping_without_summary_is_an_error():
    with pytest.raises(ValueError, match="said nothing"):
        Ping.parse("ping: socket: Operation not permitted\n")


JOB = {"pcap": "wire0.pcapng", "miniport": "5", "protocol": "6"}


def report(**changed):
    good = {"ping": {"sent": 5, "received": 5, "least_ms": 1.0, "average_ms": 1.0, "most_ms": 1.0}}
    good["ping_ipv4"] = dict(good["ping"])
    good["download"] = {"equal": True}
    simulated = {"bridge": {"bad_from_nic": 0}, "drops": {}}
    for path, value in changed.items():
        place, key = (
            {"ping": good["ping"], "ipv4": good["ping_ipv4"], "http": good["download"]}.get(
                path.split("__")[0], simulated
            ),
            path.split("__")[-1],
        )
        place[key] = value
    session = Session("live_session", "verilator", "live", JOB)
    return live._judge(session, good, simulated)


def test_a_perfect_run_passes():
    assert report()["passed"]


@pytest.mark.parametrize(
    "flaw",
    [
        {"ping__received": 4},
        {"ipv4__received": 4},
        {"http__equal": False},
        {"nic__drops": {"drop_fcs": 1}},
        {"nic__bridge": {"bad_from_nic": 1}},
    ],
)
def test_any_flaw_fails_and_is_named(flaw):
    found = report(**flaw)
    assert not found["passed"]
    assert list(found["checks"].values()).count(False) == 1


def test_the_download_is_served_and_fetched_whole(tmp_path):
    body = os.urandom(200_000)
    path = tmp_path / "body"
    path.write_bytes(body)
    server = subprocess.Popen(
        [sys.executable, "-m", "hilnic.apps.live_http", "serve", "127.0.0.1", str(path)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with server:
        port = server.stdout.readline().strip()
        found = live_http.fetch(f"http://127.0.0.1:{port}/", 10)
        server.kill()
    import hashlib

    assert (found["octets"], found["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())


def test_a_missing_program_is_named(monkeypatch):
    monkeypatch.delenv(netns._INSIDE, raising=False)
    monkeypatch.setattr(live.shutil, "which", lambda tool: None if tool == "ping" else f"/bin/{tool}")
    with pytest.raises(Stop, match="ping is not installed") as stop:
        live.run(sim="icarus", pings=1, size=1, pcap=None, json=None)
    assert stop.value.code == Exit.MISSING


def test_a_kernel_that_refuses_is_a_sentence(monkeypatch):
    def refuse():
        raise netns.SandboxError("no user namespaces here")

    monkeypatch.delenv(netns._INSIDE, raising=False)
    monkeypatch.setattr(live.shutil, "which", lambda tool: f"/bin/{tool}")
    monkeypatch.setattr(live, "prepare", lambda _sim: pytest.fail("compiled for nothing"))
    monkeypatch.setattr(live, "sandbox_command", refuse)
    with pytest.raises(Stop, match="no user namespaces") as stop:
        live.run(sim="icarus", pings=1, size=1, pcap=None, json=None)
    assert stop.value.code == Exit.IMPOSSIBLE


# --- the sandbox, where the kernel allows it --------------------------------------------------------------------------


def sandbox_or_skip():
    try:
        netns.sandbox_command()
    except netns.SandboxError as refused:
        pytest.skip(str(refused))


def in_sandbox(tmp_path, body):
    """A program that enters the sandbox and runs `body` there."""
    script = tmp_path / "program.py"
    script.write_text(
        textwrap.dedent("""
            import os, sys, time
            from pathlib import Path
            from hilnic.apps import netns
            if not netns.inside_sandbox():
                sys.exit(netns.enter_sandbox([sys.executable, *sys.argv]))
            netns.end_with_parent()
            a = netns.Namespace(netns.Interface("tap0", "10.77.0.1/24", bytes.fromhex("02484e000001")))
            b = netns.Namespace(netns.Interface("tap0", "10.77.0.2/24", bytes.fromhex("02484e000002")))
        """)
        + textwrap.dedent(body),
        encoding="utf-8",
    )
    return [sys.executable, str(script)]


def test_frames_pass_from_one_namespace_to_the_other_over_their_taps(tmp_path):
    sandbox_or_skip()
    body = """
        import select, subprocess
        ping = subprocess.Popen(a.command(["ping", "-n", "-c", "3", "-i", "0.2", "10.77.0.2"]))
        while ping.poll() is None:
            for tap in select.select([a.tap, b.tap], [], [], 0.1)[0]:
                os.write(b.tap if tap == a.tap else a.tap, os.read(tap, 65536))
        a.close(); b.close()
        sys.exit(ping.returncode)
    """
    if live.shutil.which("ping") is None:
        pytest.skip("ping is not installed (make setup installs it)")
    done = subprocess.run(in_sandbox(tmp_path, body), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 packets transmitted, 3 received" in done.stdout


def alive(marker):
    """Processes whose command line holds the marker."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes()
        except OSError:
            continue
        if marker.encode() in text and int(entry.parent.name) != os.getpid():
            found.append(entry.parent.name)
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_behind_when_the_command_is_killed(tmp_path, how):
    sandbox_or_skip()
    body = """
        print("ready", flush=True)
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            sys.exit(1)
    """
    heeding = ["env", "--default-signal=INT", *in_sandbox(tmp_path, body)]  # a shell's background job ignores SIGINT
    process = subprocess.Popen(heeding, stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "ready\n"
        assert len(alive(str(tmp_path))) >= 3
        process.send_signal(how)
        process.wait(30)
    for _ in range(100):
        if not alive(str(tmp_path)):
            return
        time.sleep(0.05)
    pytest.fail(f"still alive: {alive(str(tmp_path))}")


@pytest.mark.parametrize(("code", "outcome"), [(0, 0), (1, 1), (130, 130), (137, 1), (-9, 1)])
def test_what_ended_in_the_sandbox_ends_the_command_alike(monkeypatch, code, outcome):
    monkeypatch.setattr(live, "inside_sandbox", lambda: False)
    monkeypatch.setattr(live, "sandbox_command", list)
    monkeypatch.setattr(live, "prepare", lambda _: None)
    monkeypatch.setattr(live, "enter_sandbox", lambda _: code)
    monkeypatch.setattr(live.shutil, "which", lambda tool: tool)
    monkeypatch.setattr(live.sys, "platform", "linux")
    assert live.run(sim=None, pings=1, size=1, pcap=None, json=None) == outcome


def test_ctrl_c_in_the_sandbox_is_no_failure(monkeypatch, tmp_path):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setenv("HILNIC_BUILD", str(tmp_path))
    monkeypatch.setattr(live, "_network", interrupted)
    with pytest.raises(Stop, match="nothing is left behind") as stop:
        live._inside("verilator", {"miniport": "6", "protocol": "6"}, 1, 1, None, None)
    assert stop.value.code == Exit.INTERRUPTED == 128 + signal.SIGINT
