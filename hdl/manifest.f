# The one list of Verilog sources, read by hilnic.sources for simulation, lint and synthesis. Paths from the project's root.
# `target top: targets it builds on`, then its own files, in compile order (packages first), indented.

regs:
    hdl/regs/nic_1g_pkg.sv

common:
    +incdir+hdl/common
    hdl/common/cdc_sync.sv
    hdl/common/cdc_reset.sv
    hdl/common/cdc_fifo.sv
    hdl/common/cdc_pulse.sv
    hdl/common/cdc_word.sv
    hdl/common/cdc_alive.sv
    hdl/common/fifo.sv
    hdl/common/frame_fifo.sv
    hdl/common/skid_buffer.sv

mac eth_mac_1g: common
    hdl/mac/crc32.sv
    hdl/mac/eth_mac_1g_tx.sv
    hdl/mac/eth_mac_1g_rx.sv
    hdl/mac/eth_mac_1g.sv

nic nic_1g: regs mac

