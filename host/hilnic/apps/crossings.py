# SPDX-License-Identifier: Apache-2.0
"""Every way between two clocks, found on the elaborated netlist: it must go through hdl/common/cdc_*.

`check` takes yosys's JSON of a flat word-level netlist (processes turned into flip-flops, memories collected, nothing
mapped), in which MARKS has marked each cell of a cdc_ module with that module's name. It follows every input of every
flip-flop and memory back to the registers and ports that it depends on, and reports as a breach:

    crossing    a register fed from another clock, other than cdc_sync's first stage, and the two words that may cross
                because a synchronized signal says when they stand still: cdc_fifo's memory and cdc_word's held_q
    glitch      logic between a foreign register and cdc_sync's first stage
    reset       an asynchronous reset that was not released in the register's own clock (cdc_reset)
    port        an output of the top that does not come from the clock which clocks.toml promises
    clock       a register whose clock is not a clock port of the top
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

_MODULES = ("cdc_sync", "cdc_reset", "cdc_fifo", "cdc_pulse", "cdc_word", "cdc_alive")
_MARK = "hilnic_cdc"

# yosys names the parametrized cdc_fifo `$paramod$<hash>\cdc_fifo`.
MARKS = "; ".join(rf'setattr -set {_MARK} "{name}" {name}/c:* *\{name}/c:* %u *\{name}\*/c:* %u' for name in _MODULES)

_STANDS_STILL = {"cdc_fifo": "mem", "cdc_word": "held_q"}
_BITWISE = {"$and", "$or", "$xor", "$xnor", "$not", "$mux", "$pmux", "$bwmux"}
Bit = int | str  # a net of the netlist, or the constant "0", "1", "x"


@dataclass(frozen=True, slots=True)
class ClockPlan:
    """Which clock the top's ports belong to; `direct` ones are asynchronous."""

    clocks: tuple[str, ...]
    domain: Mapping[str, str]
    direct: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The broken rules, a sentence each, and how many cdc_ instances carry a crossing."""

    breaches: tuple[str, ...]
    crossings: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a signal starts: a register or memory (cell), or a port of the top (no cell)."""

    clock: str
    name: str
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Sink:
    """A register or memory port, with the signals that it samples."""

    cell: str
    clock: str
    name: str
    sampled: tuple[Bit, ...]
    resets: tuple[Bit, ...] = ()


def check(netlist: Mapping[str, Any], top: str, plan: ClockPlan) -> Report:
    """All breaches of the top's netlist."""
    design = _Design(netlist["modules"][top], plan)
    carriers: set[str] = set()
    breaches = [breach for sink in design.sinks() for breach in _sink_breaches(design, sink, carriers)]
    breaches += _output_breaches(design)
    return Report(tuple(dict.fromkeys(breaches)), len(carriers))


def _sink_breaches(design: "_Design", sink: Sink, carriers: set[str]) -> Iterator[str]:
    if sink.clock not in design.plan.clocks:
        yield f"clock: {sink.name} is clocked by {sink.clock}, which is no clock port"
        return
    module, instance = design.mark(sink.cell), _instance(sink.cell)
    for origin in design.origins(sink.sampled):
        if origin.clock == sink.clock:
            continue
        carriers.add(instance)
        still = origin.name == f"{instance}.{_STANDS_STILL.get(module)}".removeprefix(".")
        if module != "cdc_sync" and not still:
            yield f"crossing: {sink.name} ({sink.clock}) depends on {origin.name} ({origin.clock}) outside cdc_*"
        elif module == "cdc_sync" and not all(design.is_registered(bit) for bit in sink.sampled):
            yield f"glitch: logic between {origin.name} ({origin.clock}) and synchronizer {sink.name} ({sink.clock})"
    if module != "cdc_reset":
        for origin in design.origins(sink.resets):
            if origin.clock != sink.clock:
                yield f"reset: {sink.name} ({sink.clock}) is reset by {origin.name} ({origin.clock})"


def _output_breaches(design: "_Design") -> Iterator[str]:
    for name, port in design.module["ports"].items():
        if port["direction"] == "output":
            for origin in design.origins(port["bits"]):
                if origin.clock != design.plan.domain[name]:
                    yield f"port: {name} ({design.plan.domain[name]}) depends on {origin.name} ({origin.clock})"


@dataclass
class _Design:
    """The netlist as a graph of bits."""

    module: Mapping[str, Any]
    plan: ClockPlan
    _known: dict[Bit, frozenset[Origin]] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[Bit, str]:
        """A name for each bit, the public and shortest one."""
        names: dict[Bit, str] = {}
        for name, net in sorted(self.module["netnames"].items(), key=lambda item: (item[1]["hide_name"], len(item[0]))):
            for bit in net["bits"]:
                names.setdefault(bit, name)
        return names

    @cached_property
    def inputs(self) -> dict[Bit, str]:
        """The input port that drives a bit."""
        ports = self.module["ports"].items()
        return {bit: name for name, port in ports if port["direction"] == "input" for bit in port["bits"]}

    @cached_property
    def drivers(self) -> dict[Bit, tuple[str, str, int]]:
        """The cell, its port, and the position in it that drive a bit."""
        return {
            bit: (name, port, position)
            for name, cell in self.module["cells"].items()
            for port, bits in cell["connections"].items()
            if cell["port_directions"][port] == "output"
            for position, bit in enumerate(bits)
        }

    @cached_property
    def marks(self) -> dict[str, str]:
        """The cdc_ module of each instance of one."""
        cells = self.module["cells"].items()
        return {_instance(name): cell["attributes"][_MARK] for name, cell in cells if _MARK in cell["attributes"]}

    def mark(self, cell: str) -> str:
        """The cdc_ module that the cell belongs to, or nothing."""
        return self.marks.get(_instance(cell), "")

    def clock_of(self, bit: Bit) -> str:
        return self.inputs.get(bit) or self.names.get(bit, str(bit))

    def is_register(self, cell: Mapping[str, Any]) -> bool:
        return "Q" in cell["connections"] and "CLK" in cell["connections"]

    def is_registered(self, bit: Bit) -> bool:
        """True for constants, ports and outputs of registers: no logic lies before the bit."""
        if isinstance(bit, str) or bit in self.inputs:
            return True
        return bit in self.drivers and self.is_register(self.module["cells"][self.drivers[bit][0]])

    # Sinks ------------------------------------------------------------------------------------------------------

    def sinks(self) -> Iterator[Sink]:
        """Every register, and every write port of every memory."""
        for name, cell in self.module["cells"].items():
            if self.is_register(cell):
                pins = cell["connections"]
                sampled = [bit for pin in ("D", "EN", "SRST") for bit in pins.get(pin, ())]
                resets = [bit for pin in ("ARST", "ALOAD", "AD", "SET", "CLR") for bit in pins.get(pin, ())]
                label = self.names.get(pins["Q"][0], name)
                yield Sink(name, self.clock_of(pins["CLK"][0]), label, tuple(sampled), tuple(resets))
            elif cell["type"] == "$mem_v2":
                yield from self._memory_sinks(name, cell)

    def _memory_sinks(self, name: str, cell: Mapping[str, Any]) -> Iterator[Sink]:
        pins, clocks = cell["connections"], cell["connections"]["WR_CLK"]
        label = str(cell["parameters"]["MEMID"]).removeprefix("\\")
        for port, clock in enumerate(clocks):
            sampled = [bit for pin in ("WR_ADDR", "WR_DATA", "WR_EN") for bit in _slice(pins[pin], port, len(clocks))]
            yield Sink(name, self.clock_of(clock), label, tuple(sampled))

    # Origins ----------------------------------------------------------------------------------------------------

    def origins(self, bits: Iterable[Bit]) -> frozenset[Origin]:
        """One origin per clock and cell that any of the bits depends on."""
        return frozenset().union(*(self._origins(bit) for bit in bits))

    def _origins(self, bit: Bit) -> frozenset[Origin]:
        """Depth first without recursion: a bit is known when all that it depends on is."""
        stack = [bit]
        while stack:
            at = stack[-1]
            if at in self._known:
                stack.pop()
                continue
            start, needs = self._step(at)
            missing = [need for need in needs if need not in self._known]
            if missing:
                stack += missing
            else:
                self._known[at] = frozenset().union(start, *(self._known[need] for need in needs))
                stack.pop()
        return self._known[bit]

    def _step(self, bit: Bit) -> tuple[frozenset[Origin], list[Bit]]:
        """What the bit starts from by itself, and the bits that it depends on."""
        if bit in self.inputs:
            port = self.inputs[bit]
            return frozenset([Origin(self.plan.domain.get(port, port), port)]), []
        if isinstance(bit, str) or bit not in self.drivers:
            return frozenset(), []
        name, port, position = self.drivers[bit]
        cell = self.module["cells"][name]
        pins = cell["connections"]
        if self.is_register(cell):
            return frozenset([Origin(self.clock_of(pins["CLK"][0]), self.names.get(bit, name), name)]), []
        if cell["type"] == "$mem_v2":
            label = str(cell["parameters"]["MEMID"]).removeprefix("\\")
            written = frozenset(Origin(self.clock_of(clock), label, name) for clock in pins["WR_CLK"])
            reads = len(pins["RD_EN"])
            return written, _slice(pins["RD_ADDR"], position * reads // len(pins["RD_DATA"]), reads)
        return frozenset(), list(_inputs(cell, position))


def _instance(cell: str) -> str:
    """Path of the instance of a cell: `u_a.u_b` of `$flatten\\u_a.\\u_b.$procdff$7` and of the memory `u_a.u_b.mem`."""
    if cell.startswith("$"):
        return cell.removeprefix("$flatten").partition("$")[0].replace("\\", "").rstrip(".")
    return cell.rpartition(".")[0]


def _slice(bits: list[Bit], index: int, parts: int) -> list[Bit]:
    width = len(bits) // parts
    return bits[index * width : (index + 1) * width]


def _inputs(cell: Mapping[str, Any], position: int) -> Iterator[Bit]:
    """The input bits that an output bit of a cell of logic may depend on."""
    pins, directions = cell["connections"], cell["port_directions"]
    outputs = next(len(bits) for port, bits in pins.items() if directions[port] == "output")
    for port, bits in pins.items():
        if directions[port] == "output":
            continue
        if cell["type"] in _BITWISE and port != "S" and len(bits) % outputs == 0:
            yield from bits[position::outputs]
        else:
            yield from bits
