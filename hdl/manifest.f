# The one list of Verilog sources, read by hilnic.sources for simulation, lint and synthesis. Paths from the project's root.
# `target top: targets it builds on`, then its own files, in compile order (packages first), indented.

regs:

common:

mac eth_mac_1g: common

nic nic_1g: regs mac

