// SPDX-License-Identifier: Apache-2.0
// The functions of the C library hostmem (host/hilnic/cosim/native/hostmem.h) under one spelling, `HM_NAME(arguments)`: system
// functions of a VPI module in Icarus, DPI-C functions in Verilator. All values are 64 bits wide; the simulation time (1 ps) is
// passed along. `BREACH(card, rule, message)` reports a broken rule and ends the test.
`ifndef HILNIC_HOSTMEM_SVH
`define HILNIC_HOSTMEM_SVH
`ifdef VERILATOR
import "DPI-C" function longint unsigned hm_cycle(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_clock(
    input longint unsigned card, input longint unsigned index, input longint unsigned now);
import "DPI-C" function longint unsigned hm_ar(
    input longint unsigned card, input longint unsigned id, input longint unsigned address, input longint unsigned beats,
    input longint unsigned now);
import "DPI-C" function longint unsigned hm_r(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_rdata(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_aw(
    input longint unsigned card, input longint unsigned id, input longint unsigned address, input longint unsigned beats,
    input longint unsigned now);
import "DPI-C" function longint unsigned hm_w(
    input longint unsigned card, input longint unsigned data, input longint unsigned strobe, input longint unsigned last,
    input longint unsigned now);
import "DPI-C" function longint unsigned hm_b(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_csr(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_csr_wdata(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_csr_done(
    input longint unsigned card, input longint unsigned resp, input longint unsigned rdata, input longint unsigned now);
import "DPI-C" function longint unsigned hm_irq(
    input longint unsigned card, input longint unsigned vector, input longint unsigned now);
import "DPI-C" function longint unsigned hm_source(input longint unsigned card, input longint unsigned now);
import "DPI-C" function longint unsigned hm_sink(
    input longint unsigned card, input longint unsigned octets, input longint unsigned count, input longint unsigned now);
import "DPI-C" function longint unsigned hm_sink_end(
    input longint unsigned card, input longint unsigned error, input longint unsigned start, input longint unsigned now);
import "DPI-C" function longint unsigned hm_crc(
    input longint unsigned crc, input longint unsigned octets, input longint unsigned count, input longint unsigned now);
import "DPI-C" function longint unsigned hm_gap(
    input longint unsigned card, input longint unsigned gap, input longint unsigned now);
import "DPI-C" function longint unsigned hm_limit(
    input longint unsigned card, input longint unsigned length, input longint unsigned now);
import "DPI-C" function void hm_breach_at(
    input longint unsigned card, input string rule, input string message, input longint unsigned now);
`define HM_1(f, a) f(64'(a), 64'($time))
`define HM_2(f, a, b) f(64'(a), 64'(b), 64'($time))
`define HM_3(f, a, b, c) f(64'(a), 64'(b), 64'(c), 64'($time))
`define HM_4(f, a, b, c, d) f(64'(a), 64'(b), 64'(c), 64'(d), 64'($time))
`define BREACH(card, rule, message) hm_breach_at(64'(card), rule, message, 64'($time))
`define HM_CYCLE(card) `HM_1(hm_cycle, card)
`define HM_CLOCK(card, index) `HM_2(hm_clock, card, index)
`define HM_AR(card, id, address, beats) `HM_4(hm_ar, card, id, address, beats)
`define HM_R(card) `HM_1(hm_r, card)
`define HM_RDATA(card) `HM_1(hm_rdata, card)
`define HM_AW(card, id, address, beats) `HM_4(hm_aw, card, id, address, beats)
`define HM_W(card, data, strobe, last) `HM_4(hm_w, card, data, strobe, last)
`define HM_B(card) `HM_1(hm_b, card)
`define HM_CSR(card) `HM_1(hm_csr, card)
`define HM_CSR_WDATA(card) `HM_1(hm_csr_wdata, card)
`define HM_CSR_DONE(card, resp, rdata) `HM_3(hm_csr_done, card, resp, rdata)
`define HM_IRQ(card, vector) `HM_2(hm_irq, card, vector)
`define HM_SOURCE(card) `HM_1(hm_source, card)
`define HM_SINK(card, octets, count) `HM_3(hm_sink, card, octets, count)
`define HM_SINK_END(card, error, start) `HM_3(hm_sink_end, card, error, start)
`define HM_CRC(crc, octets, count) `HM_3(hm_crc, crc, octets, count)
`define HM_GAP(card, gap) `HM_2(hm_gap, card, gap)
`define HM_LIMIT(card, length) `HM_2(hm_limit, card, length)
`else
`define BREACH(card, rule, message) $hm_breach(card, rule, message)
`define HM_CYCLE(card) $hm_cycle(card)
`define HM_CLOCK(card, index) $hm_clock(card, index)
`define HM_AR(card, id, address, beats) $hm_ar(card, id, address, beats)
`define HM_R(card) $hm_r(card)
`define HM_RDATA(card) $hm_rdata(card)
`define HM_AW(card, id, address, beats) $hm_aw(card, id, address, beats)
`define HM_W(card, data, strobe, last) $hm_w(card, data, strobe, last)
`define HM_B(card) $hm_b(card)
`define HM_CSR(card) $hm_csr(card)
`define HM_CSR_WDATA(card) $hm_csr_wdata(card)
`define HM_CSR_DONE(card, resp, rdata) $hm_csr_done(card, resp, rdata)
`define HM_IRQ(card, vector) $hm_irq(card, vector)
`define HM_SOURCE(card) $hm_source(card)
`define HM_SINK(card, octets, count) $hm_sink(card, octets, count)
`define HM_SINK_END(card, error, start) $hm_sink_end(card, error, start)
`define HM_CRC(crc, octets, count) $hm_crc(crc, octets, count)
`define HM_GAP(card, gap) $hm_gap(card, gap)
`define HM_LIMIT(card, length) $hm_limit(card, length)
`endif

// bits of HM_CYCLE's result
`define CTL_CSR 0
`define CTL_WAKE 1
`define CTL_R 2
`define CTL_B 3
`define CTL_ARREADY 4
`define CTL_AWREADY 5
`define CTL_WREADY 6
`define CTL_RELOAD 7
`define CTL_RESET_N 8
`define CTL_LINK 9
`define CTL_SOURCE 10
`define CTL_WIRE 12:11
`endif
