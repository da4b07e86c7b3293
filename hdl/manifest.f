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
    hdl/nic/queue_pick.sv
    hdl/nic/doorbell_check.sv
    hdl/nic/desc_plan.sv
    hdl/nic/desc_fetch.sv
    hdl/nic/dma_read.sv
    hdl/nic/queue_list.sv
    hdl/nic/tx_lists.sv
    hdl/nic/vc_shaper.sv
    hdl/nic/line_clock.sv
    hdl/nic/vc_contract.sv
    hdl/nic/tx_sched.sv
    hdl/nic/vlan_insert.sv
    hdl/nic/tx_frame.sv
    hdl/nic/tx_assemble.sv
    hdl/nic/tx_path.sv
    hdl/nic/loopback.sv
    hdl/nic/rx_classify.sv
    hdl/nic/vlan_strip.sv
    hdl/nic/rx_ingress.sv
    hdl/nic/rx_writer.sv
    hdl/nic/rx_path.sv
    hdl/nic/write_align.sv
    hdl/nic/dma_write.sv
    hdl/nic/complete_tx.sv
    hdl/nic/complete_rx.sv
    hdl/nic/complete_done.sv
    hdl/nic/completer.sv
    hdl/nic/irq.sv
    hdl/nic/tx_unpack.sv
    hdl/nic/rx_pack.sv
    hdl/nic/mac_port.sv
    hdl/nic/stats.sv
    hdl/nic/rx_filter.sv
    hdl/nic/queue_pages.sv
    hdl/nic/queue_side.sv
    hdl/nic/queue_ctrl.sv
    hdl/nic/vc_pages.sv
    hdl/nic/vc_find.sv
    hdl/nic/vc_count.sv
    hdl/nic/vc_orders.sv
    hdl/nic/barrier_order.sv
    hdl/nic/vc_table.sv
    hdl/nic/csr_regs.sv
    hdl/nic/csr.sv
    hdl/nic/nic_1g.sv


# Benches of single blocks

common_bench common_bench: common
    tb/common_bench.sv

nic_tx nic_tx_path: nic
    tb/nic_tx_path.sv

nic_rx nic_rx_path: nic
    tb/nic_rx_path.sv

nic_irq nic_irq_bench: nic
    tb/nic_irq_bench.sv

nic_vc nic_vc_bench: nic
    tb/nic_vc_bench.sv

tb:
    +incdir+tb
    tb/clock_gen.sv
    tb/axi_slave_mem.sv
    tb/axil_master.sv
    tb/gmii_source.sv
    tb/gmii_words.sv
    tb/gmii_sink.sv
    tb/irq_sink.sv
    tb/check_gmii.sv
    tb/check_axi4.sv
    tb/check_axil.sv
    tb/check_axis.sv

tb_nic tb_nic: nic tb
    tb/bare_pins.sv
    tb/card.sv
    tb/tb_nic.sv
    tb/tb_nic.vlt

nic_blocks_bench nic_blocks_bench: mac
    hdl/nic/stats.sv
    hdl/nic/rx_filter.sv
    tb/nic_blocks_bench.sv

mac_port_bench mac_port_bench: mac
    hdl/nic/tx_unpack.sv
    hdl/nic/rx_pack.sv
    hdl/nic/mac_port.sv
    tb/mac_port_bench.sv
