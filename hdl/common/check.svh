// SPDX-License-Identifier: Apache-2.0
// `CHECK(name, expr): in simulation stop with the rule's name, the place and the time unless `expr` is exactly 1 (X counts as a
// breach); nothing in synthesis. A statement for clocked blocks, outside the reset branch, where it costs no process of its own;
// Icarus notes at compile time that such a system task "cannot be synthesized": the runner leaves those lines out.
`ifndef HILNIC_CHECK_SVH
`define HILNIC_CHECK_SVH
`ifdef SYNTHESIS
`define CHECK(name, expr)
`else
`define CHECK(name, expr) if ((expr) !== 1'b1) $fatal(1, "CHECK %s in %m at %0t", name, $time);
`endif

// `AWAKE(expr): the condition under which a clocked block can change anything, for an event-driven simulator to skip the block
// otherwise. Redundant by construction (nothing in the block may change while it is 0), hence left out of the netlist, where it would
// only lengthen the clock enables. With HILNIC_ALWAYS_AWAKE the simulation runs as the netlist does.
`ifdef SYNTHESIS
`define AWAKE(expr) 1'b1
`elsif HILNIC_ALWAYS_AWAKE
`define AWAKE(expr) 1'b1
`else
`define AWAKE(expr) (expr)
`endif
`endif
