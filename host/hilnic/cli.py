# SPDX-License-Identifier: Apache-2.0
"""The `hilnic` command: parses options and calls `hilnic.apps.<module>.run(...)`, which returns the exit code.

Nothing but typer is imported before a command is chosen, so that `hilnic --help` answers at once.
"""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn, cast

import typer

from hilnic import __version__
from hilnic.apps import report
from hilnic.apps.arguments import Commands
from hilnic.apps.choices import (
    Bench,
    CallManager,
    CardKind,
    Ends,
    Flow,
    Miniport,
    Plot,
    Protocol,
    Simulator,
    Suite,
    Verify,
    Way,
)
from hilnic.apps.outcome import Exit, Stop

Seed = Annotated[int | None, typer.Option(help="Seed of everything random; 1 when not given.")]
Sim = Annotated[Simulator | None, typer.Option(help="Simulator; each command has its own default.")]
FarEnds = Annotated[Ends, typer.Option(help="What stands at the NIC's ports.")]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="[FILE]", help="Write JSON, to standard output without FILE.")
]
Dump = Annotated[bool, typer.Option("--waves", help="Dump waveforms.")]
Check = Annotated[bool, typer.Option("--check", help="Exit with 1 on a gap.")]

_BENCH_OPTIONS = {
    Bench.NIC: {"sim", "ends", "size", "dir", "frames", "window", "fragments", "waves", "verify", "seed", "json"},
    Bench.NDIS: {"frames", "verify", "seed", "json"},
    Bench.CONDIS: {"sim", "ends", "size", "frames", "vcs", "waves", "verify", "seed", "json"},
}
_SHORTEST_FRAME = 14
app = typer.Typer(
    name="hilnic",
    help="A simulated FPGA NIC, its NDIS driver and stack, and real traffic through all of them.",
    epilog="Exit codes: 0 passed, 1 failed, 2 usage or input, 3 something to install is missing, 4 impossible here, "
    "130 interrupted.",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _run(module: str, **options: object) -> NoReturn:
    """Call the app's `run` with these options, and end with the exit code that it returns."""
    try:
        report.check_file(cast("Path | None", options.get("json")))
        code = importlib.import_module(f"hilnic.apps.{module}").run(**options)
    except Stop as stop:
        typer.echo(f"hilnic: {stop}", err=True)
        code = stop.code
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"hilnic: {error.filename}: {error.strerror}", err=True)
        code = Exit.USAGE
    except KeyboardInterrupt:
        typer.echo("hilnic: interrupted", err=True)
        code = Exit.INTERRUPTED
    raise typer.Exit(int(code))


@app.callback(invoke_without_command=True)
def _version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"hilnic {__version__}")
        raise typer.Exit


@app.command()
def sim(
    tests: Annotated[
        list[str] | None, typer.Argument(metavar="[TEST]...", help="Names or globs; all when none.")
    ] = None,
    seed: Seed = None,
    sim: Sim = None,
    ends: FarEnds = Ends.HDL,
    waves: Dump = False,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Simulators at once.")] = None,
    soak: Annotated[bool, typer.Option("--soak", help="Run the long tests instead.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="Print the tests and run none.")] = False,
) -> None:
    """Run the co-simulation regression."""
    _run(
        "regression",
        tests=tests or [],
        seed=seed,
        sim=sim,
        ends=ends,
        waves=waves,
        jobs=jobs,
        soak=soak,
        listing=listing,
    )


@app.command()
def live(
    sim: Sim = None,
    pings: Annotated[int, typer.Option(min=1, help="Echo requests of the kernel.")] = 100,
    size: Annotated[int, typer.Option("--bytes", min=1, help="Size of the HTTP download.")] = 1 << 20,
    pcap: Annotated[Path | None, typer.Option(metavar="FILE", help="Where the wire's pcapng goes.")] = None,
    miniport: Annotated[Miniport, typer.Option(help="NDIS version of the NIC's driver.")] = Miniport.NDIS_6,
    protocol: Annotated[Protocol, typer.Option(help="NDIS version of the protocols.")] = Protocol.NDIS_6,
    json: Json = None,
) -> None:
    """Let the Linux kernel ping and download through the simulated NIC."""
    _run("live", sim=sim, pings=pings, size=size, pcap=pcap, json=json, miniport=miniport, protocol=protocol)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="pcap or pcapng.")],
    direction: Annotated[Way, typer.Option(help="Out of the host, or in from the wire.")] = Way.RX,
    sim: Sim = None,
    seed: Seed = None,
    json: Json = None,
) -> None:
    """Send a capture through the NIC and compare every byte at the far end."""
    _run("replay", file=file, direction=direction, sim=sim, seed=seed, json=json)


@app.command()
def condis(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What is sent.")],
    rate: Annotated[str | None, typer.Option(metavar="BITS", help="Per second, as 250M; 100M when not given.")] = None,
    burst: Annotated[int | None, typer.Option(metavar="BYTES", help="The bucket; four frames when not given.")] = None,
    peak: Annotated[str | None, typer.Option(metavar="BITS", help="Per second, inside a burst; the line's.")] = None,
    cm: Annotated[
        CallManager, typer.Option(help="A protocol of its own, or in the miniport.")
    ] = CallManager.STAND_ALONE,
    version: Annotated[Protocol, typer.Option(help="NDIS version of the drivers.")] = Protocol.NDIS_6,
    sim: Sim = None,
    waves: Dump = False,
    seed: Seed = None,
    json: Json = None,
) -> None:
    """Call from one simulated host to another, and stream a file over the virtual connection."""
    _run(
        "condis",
        file=file,
        rate=rate,
        burst=burst,
        peak=peak,
        cm=cm.value,
        version=version.value,
        sim=sim and sim.value,
        waves=waves,
        seed=seed,
        json=json,
    )


@app.command()
def plot(
    what: Annotated[Plot, typer.Argument(metavar="rates", help="Measured rate of each VC against its contract.")],
    reports: Annotated[
        list[Path],
        typer.Argument(metavar="REPORT...", help="JSON of `condis`, `bench condis`, or a test's report.json."),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The picture, .svg or .png.")] = Path("rates.svg"),
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 when a VC is off its contract.")] = False,
) -> None:
    """Draw what runs have measured."""
    _run("plot", what=what.value, reports=reports, out=out, check=check)


@app.command()
def bench(
    bench: Annotated[Bench, typer.Argument(metavar="[nic|ndis|condis]", help="What is measured.")] = Bench.NIC,
    sim: Annotated[
        list[Simulator] | None, typer.Option(help="Simulator, repeatable; see above when not given.")
    ] = None,
    ends: Annotated[list[Ends] | None, typer.Option(help="What stands at the NIC's ports, repeatable.")] = None,
    size: Annotated[
        list[int] | None, typer.Option(min=1, max=9018, help="Frame size with FCS; condis: of SDUs. Repeatable.")
    ] = None,
    dir: Annotated[list[Flow] | None, typer.Option(help="Traffic, repeatable.")] = None,  # noqa: A002
    frames: Annotated[int | None, typer.Option(min=1, help="Frames per row after warm-up.")] = None,
    window: Annotated[list[int] | None, typer.Option(min=1, help="Frames in flight, repeatable.")] = None,
    fragments: Annotated[list[int] | None, typer.Option(min=1, help="MDLs per frame, repeatable.")] = None,
    vcs: Annotated[list[int] | None, typer.Option(min=1, max=1023, help="condis: active VCs, repeatable.")] = None,
    waves: Dump = False,
    verify: Annotated[
        Verify | None, typer.Option(help="What the NDIS verifier checks: fast, for ndis all three.")
    ] = None,
    seed: Seed = None,
    json: Json = None,
) -> None:
    """Measure the NIC, NDIS alone, or calls and virtual connections.

    nic: frames per second and latency, on both simulators. ndis: microseconds per NBL, without hardware. condis: calls
    per second, contracts, data on a VC against connectionless, and what a frame costs as VCs grow, on Verilator.
    """
    given = {
        "sim": sim, "ends": ends, "size": size, "dir": dir, "frames": frames, "window": window, "fragments": fragments,
        "vcs": vcs, "waves": waves, "verify": verify, "seed": seed, "json": json,
    }  # fmt: skip
    stray = [f"--{name}" for name, value in given.items() if value and name not in _BENCH_OPTIONS[bench]]
    if stray:
        taken = ", ".join(f"--{name}" for name in given if name in _BENCH_OPTIONS[bench])
        raise typer.BadParameter(f"bench {bench.value} does not take {', '.join(stray)}, but {taken}")
    if bench is Bench.NDIS:
        _run("bench_ndis", verify=verify and verify.value, nbls=frames, seed=seed, json=json)
    common = {"sims": sim or [], "ends": ends or [], "sizes": size or [], "frames": frames, "waves": waves}
    common |= {"verify": verify or Verify.FAST, "seed": seed, "json": json}
    if bench is Bench.CONDIS:
        _run("bench_condis", vcs=vcs or [], **common)
    if size and min(size) < _SHORTEST_FRAME:
        raise typer.BadParameter(f"--size {min(size)}: a frame has at least {_SHORTEST_FRAME} octets")
    _run("bench", bench=bench, dirs=dir or [], windows=window or [], fragments=fragments or [], **common)


@app.command()
def waves(
    test: Annotated[str | None, typer.Argument(metavar="[TEST]", help="Test whose waveform opens.")] = None,
    sim: Sim = None,
    shot: Annotated[bool, typer.Option("--shot", help="Save a picture instead of opening a window.")] = False,
) -> None:
    """Open a test's waveform in GTKWave, with groups, state names and the host's events."""
    _run("waves", test=test, sim=sim, shot=shot)


@app.command()
def rules(check: Check = False, json: Json = None) -> None:
    """List the NDIS rules that are modelled, with the tests that cite them."""
    _run("rules", check=check, json=json)


@app.command()
def wdk(check: Check = False, json: Json = None) -> None:
    """List the WDK's functions and what implements each here."""
    _run("wdk", check=check, json=json)


@app.command()
def dump(
    path: Annotated[
        Path | None, typer.Argument(metavar="[FILE|DIR]", help="A dump, or a test's folder; the latest when none.")
    ] = None,
    json: Json = None,
) -> None:
    """Print what an NDIS host looked like when its test failed, or looks like in a running simulation."""
    _run("dump", path=path, json=json)


@app.command()
def synth(
    top: Annotated[str, typer.Argument(metavar="[TOP]", help="Target of hdl/manifest.f.")] = "nic",
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-P", metavar="NAME=NUMBER", help="Of the top; nic_1g has NumVcs=0 if not given."),
    ] = None,
    json: Json = None,
) -> None:
    """Synthesize, place and route for an ECP5: LUT, FF, RAM and clock."""
    _run("synth", top=top, parameter=parameter or (), json=json)


@app.command()
def formal(
    blocks: Annotated[
        list[str] | None, typer.Argument(metavar="[BLOCK]...", help="Names of proofs or globs; all when none.")
    ] = None,
    json: Json = None,
) -> None:
    """Prove properties of single blocks of the NIC, for every input."""
    _run("formal", blocks=blocks or [], json=json)


@app.command()
def ndistest(
    suite: Annotated[Suite, typer.Argument(metavar="1c|2c", help="For one card, or for two that are joined.")],
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="[CASE]...", help="Names or globs; all when none.")
    ] = None,
    miniport: Annotated[
        str | None,
        typer.Option(
            metavar="6|5|5-lookahead|MODULE:FUNCTION",
            help="The miniport under test: one of ours by its NDIS version, or what registers yours.",
        ),
    ] = None,
    card: Annotated[
        CardKind,
        typer.Option(help="nic: our NIC's registers, by its twin or with --sim. port: a bare end of the wire."),
    ] = CardKind.NIC,
    sim: Annotated[Simulator | None, typer.Option(help="Through the Verilog; the twin when not given.")] = None,
    verify: Annotated[Verify, typer.Option(help="What the NDIS verifier checks.")] = Verify.FAST,
    seed: Seed = None,
    json: Json = None,
) -> None:
    """Put a miniport through the suite for one card or for two."""
    _run(
        "ndistest",
        suite=suite.value,
        cases=cases or [],
        miniport=miniport,
        card=card.value,
        sim=sim and sim.value,
        verify=verify.value,
        seed=seed,
        json=json,
    )


@app.command()
def doctor(json: Json = None) -> None:
    """Say what is installed, what is missing, and how to install it."""
    _run("doctor", json=json)


def _name_stdout(arguments: Sequence[str]) -> list[str]:
    """`--json` without a file means standard output: `--json --check` becomes `--json - --check`."""
    named: list[str] = []
    for argument, following in zip(arguments, [*arguments, "--"][1:], strict=True):
        named.append(argument)
        if argument == "--json" and following.startswith("-") and following != "-":
            named.append(str(report.STDOUT))
    return named


def main() -> None:
    """Entry point of the console script."""
    app(args=_name_stdout(sys.argv[1:]))
