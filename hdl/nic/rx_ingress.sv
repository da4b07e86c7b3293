// SPDX-License-Identifier: Apache-2.0
// Decides about every frame that arrives. Data words go uncommitted into the frame buffer while the filter looks up the destination;
// the status word that ends the frame decides: commit with a header, or roll back. Each wire frame makes one statistics event with
// at most one drop cause, the first of: disabled, rx_er, oversize, runt, fcs, filtered, buffer full (docs/nic.md sections 4 and 8).
// A status word with rx_discard_i tells of a frame whose data was not passed on (MAC frames while looping): it only counts, as
// disabled, and may come amid another frame. abandon_i forgets the frame that is arriving. Latency: two cycles from the status word.
`default_nettype none
`include "check.svh"

module rx_ingress #(
    parameter int BufWords = 4096, // depth of the frame buffer
    parameter int Headers  = 512,  // depth of the header buffer
    parameter int QueueBits  = 6,
    parameter int HeaderBits = 52  // {mark, VC's, TCI, loopback, cause[7:0], multicast, broadcast, own, length[15:0], queue}
) (
    input  wire logic                      clk_i,
    input  wire logic                      rst_ni,
    // loopback: frames of the MAC or the loop
    input  wire logic                      rx_valid_i,
    output      logic                      rx_ready_o,
    input  wire logic [              63:0] rx_data_i,
    input  wire logic                      rx_status_i,
    input  wire logic                      rx_loopback_i,
    input  wire logic                      rx_discard_i,
    input  wire logic                      rx_abandon_i,
    // rx_filter
    output      logic                      da_valid_o,
    output      logic [              47:0] da_o,
    input  wire logic                      hit_valid_i,
    input  wire logic                      hit_accept_i,
    input  wire logic [               5:0] hit_queue_i,
    input  wire logic                      hit_own_i,
    input  wire logic                      hit_broadcast_i,
    input  wire logic                      hit_multicast_i,
    // rx_classify: of the frame whose status word came last
    input  wire logic                      vc_done_i,
    input  wire logic                      vc_hit_i,
    input  wire logic [              10:0] vc_queue_i,
    input  wire logic [              15:0] vc_tci_i,
    output      logic                      vc_drop_o, // pulse: the frame was a VC's and is dropped
    // vc_orders: a mark behind all frames so far
    input  wire logic                      mark_valid_i,
    output      logic                      mark_ready_o,
    // csr, queue_ctrl
    input  wire logic                      cfg_rx_enable_i,
    input  wire logic                      cfg_pass_bad_i,
    input  wire logic [              15:0] cfg_max_frame_i,
    input  wire logic                      flush_i,
    // frame buffer and header buffer
    output      logic                      buf_valid_o,
    output      logic [              63:0] buf_data_o,
    output      logic                      buf_commit_o,
    output      logic                      buf_rollback_o,
    input  wire logic [$clog2(BufWords):0] buf_free_i,
    output      logic                      hdr_valid_o,
    output      logic [    HeaderBits-1:0] hdr_data_o,
    input  wire logic [ $clog2(Headers):0] hdr_free_i,
    // rx_writer, loopback
    output      logic                      room_o,
    // stats
    output      logic                      ev_valid_o,
    input  wire logic                      ev_ready_i,
    output      logic [              35:0] ev_mask_o,
    output      logic [              15:0] ev_wire_o
);

  localparam int FreeWidth = $clog2(BufWords) + 1;
  localparam logic [15:0] LeastDelivered = 16'd18; // a bad frame is delivered from 14 bytes of data, with the FCS

  // ---- the arriving frame ----
  logic word, begins, ends, first_q, overflow_q, space_q, hdr_space_q;
  // ---- its lookup ----
  logic lookup_want_q, lookup_busy_q, lookup_stale_q, found_q, accept_q, own_q, broadcast_q, multicast_q;
  logic [QueueBits-1:0] queue_q;
  // ---- its status word ----
  logic status_q, loopback_q, discard_q, decide, deliver;
  logic [15:0] length_q, wire_q;
  logic fcs_bad_q, rx_er_q, runt_q, oversize_q, carrier_q, no_sfd_q, in_range_q, out_of_range_q;
  logic unfit_q; // refused whatever the filter says
  logic little, bad, unfit; // of the word that shows
  logic off, off_q, disabled, refused, full, accepted, unused;
  logic [7:0] cause;

  // ---- data words ----
  assign rx_ready_o = !status_q;
  assign ends = rx_valid_i && rx_ready_o && rx_status_i;
  assign word = rx_valid_i && rx_ready_o && !rx_status_i;
  assign buf_valid_o = word && !overflow_q && space_q;
  assign buf_data_o = rx_data_i;

  // ---- lookup: one at a time; the answer of an abandoned one is ignored ----
  assign da_valid_o = lookup_want_q && !lookup_busy_q;
  assign begins = word && first_q;

  // ---- the status word ----
  assign little = rx_data_i[31:16] < LeastDelivered;
  assign bad = rx_data_i[35:32] != '0; // oversize, runt, rx_er, FCS
  assign unfit = rx_discard_i || rx_data_i[37:36] != '0 || (bad && (!cfg_pass_bad_i || little));

  // ---- the decision ----
  assign off = !cfg_rx_enable_i || flush_i;
  assign disabled = off_q || discard_q;
  assign refused = off_q || unfit_q;
  assign full = overflow_q || !hdr_space_q;
  assign decide = status_q && !ev_valid_o && (refused || (found_q && vc_done_i));
  assign accepted = accept_q || vc_hit_i; // the VC is its address
  assign deliver = decide && !refused && accepted && !full;
  assign buf_commit_o = deliver;
  assign buf_rollback_o = rx_abandon_i || (decide && !deliver && !discard_q);
  assign unused = &{1'b0, vc_queue_i};
  assign vc_drop_o = decide && !refused && vc_hit_i && full;
  // the mark leaves a place to a decision that comes in the next cycle
  assign mark_ready_o = mark_valid_i && !status_q && hdr_free_i > ($clog2(Headers) + 1)'(1);
  assign hdr_valid_o = deliver || mark_ready_o;
  assign hdr_data_o = {mark_ready_o, vc_hit_i, vc_tci_i, loopback_q, cause, multicast_q, broadcast_q, own_q, length_q,
                       vc_hit_i ? vc_queue_i[QueueBits-1:0] : queue_q}; // a cast would be 11 bits wide to yosys

  always_comb begin
    if (rx_er_q) cause = nic_1g_pkg::CAUSE_RX_ER;
    else if (oversize_q) cause = nic_1g_pkg::CAUSE_OVERSIZE;
    else if (runt_q) cause = nic_1g_pkg::CAUSE_RUNT;
    else if (fcs_bad_q) cause = nic_1g_pkg::CAUSE_FCS_ERROR;
    else if (in_range_q && cfg_pass_bad_i) cause = nic_1g_pkg::CAUSE_LENGTH_MISMATCH;
    else cause = nic_1g_pkg::CAUSE_NONE;
  end

  // ---- room for a longest frame: MAX_FRAME, four octets of a tag, in words, and two words on their way; at most all of the buffer ----
  logic [FreeWidth-1:0] longest_q, free_q;
  logic [16:0] longest;
  logic roomy, awake;

  assign longest = ({1'b0, cfg_max_frame_i} + 17'd27) >> 3;
  assign roomy = free_q >= longest_q && hdr_space_q;

  // ---- registers ----
  assign awake = `AWAKE(rx_valid_i || status_q || lookup_want_q || hit_valid_i || ev_valid_o || rx_abandon_i || free_q != buf_free_i ||
                 room_o != roomy || off_q != off || longest_q != clip(longest) || hdr_space_q != (hdr_free_i != '0));

  function automatic logic [FreeWidth-1:0] clip(input logic [16:0] words);
    clip = words > 17'(BufWords) ? FreeWidth'(BufWords) : FreeWidth'(words);
  endfunction

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_q <= 1'b1;
      overflow_q <= 1'b0;
      {space_q, hdr_space_q} <= 2'b00;
      off_q <= 1'b1;
      lookup_want_q <= 1'b0;
      lookup_busy_q <= 1'b0;
      lookup_stale_q <= 1'b0;
      found_q <= 1'b0;
      da_o <= '0;
      {accept_q, own_q, broadcast_q, multicast_q, queue_q} <= '0;
      status_q <= 1'b0;
      {length_q, wire_q, loopback_q, discard_q, unfit_q} <= '0;
      {fcs_bad_q, rx_er_q, runt_q, oversize_q, carrier_q, no_sfd_q, in_range_q, out_of_range_q} <= '0;
      ev_valid_o <= 1'b0;
      ev_mask_o <= '0;
      ev_wire_o <= '0;
      free_q <= '0;
      longest_q <= '0;
      room_o <= 1'b0;
    end else if (awake) begin
      // the frame; space is known a cycle late, in which one word more may have been written
      if (rx_abandon_i || (decide && !discard_q)) begin
        first_q <= 1'b1;
        overflow_q <= 1'b0;
      end else if (word) begin
        first_q <= 1'b0;
        if (!buf_valid_o) overflow_q <= 1'b1;
      end
      off_q <= off; // far from the receive buffer
      free_q <= buf_free_i;
      space_q <= buf_free_i > FreeWidth'(2);
      hdr_space_q <= hdr_free_i != '0; // two decisions are two cycles apart at least
      longest_q <= clip(longest);
      room_o <= roomy;
      // its lookup: one at a time, the answer of an abandoned one is ignored
      if (begins) begin
        da_o <= rx_data_i[47:0];
        lookup_want_q <= 1'b1;
        lookup_stale_q <= da_valid_o || (lookup_busy_q && !hit_valid_i);
        found_q <= 1'b0;
      end else begin
        if (da_valid_o) lookup_want_q <= 1'b0;
        if (hit_valid_i) begin
          lookup_stale_q <= 1'b0;
          found_q <= !lookup_stale_q;
        end
      end
      if (da_valid_o) lookup_busy_q <= 1'b1;
      else if (hit_valid_i) lookup_busy_q <= 1'b0;
      if (hit_valid_i) begin
        accept_q <= hit_accept_i;
        queue_q <= QueueBits'(hit_queue_i);
        own_q <= hit_own_i;
        broadcast_q <= hit_broadcast_i;
        multicast_q <= hit_multicast_i;
      end
      // its status word
      if (ends) begin
        status_q <= 1'b1;
        length_q <= rx_data_i[15:0];
        wire_q <= rx_data_i[31:16];
        unfit_q <= unfit;
        fcs_bad_q <= rx_data_i[32];
        rx_er_q <= rx_data_i[33];
        runt_q <= rx_data_i[34];
        oversize_q <= rx_data_i[35];
        carrier_q <= rx_data_i[36] || rx_data_i[37];
        no_sfd_q <= rx_data_i[37];
        in_range_q <= rx_data_i[38];
        out_of_range_q <= rx_data_i[39];
        loopback_q <= rx_loopback_i;
        discard_q <= rx_discard_i;
      end else if (decide) begin
        status_q <= 1'b0;
      end
      // its event
      if (decide) begin
        ev_valid_o <= 1'b1;
        ev_wire_o <= wire_q;
        ev_mask_o <= '0;
        ev_mask_o[nic_1g_pkg::RX_COUNTER_FALSE_CARRIER] <= carrier_q && !no_sfd_q;
        ev_mask_o[nic_1g_pkg::RX_COUNTER_MISSING_SFD] <= no_sfd_q;
        if (!carrier_q) begin
          ev_mask_o[nic_1g_pkg::RX_COUNTER_WIRE_FRAMES] <= 1'b1;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_WIRE_OCTETS] <= 1'b1;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_DISABLED] <= disabled;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_RX_ER] <= !disabled && refused && rx_er_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_OVERSIZE] <= !disabled && refused && oversize_q && !rx_er_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_RUNT] <= !disabled && refused && runt_q && !rx_er_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_FCS] <= !disabled && refused && fcs_bad_q && !runt_q && !oversize_q && !rx_er_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_FILTERED] <= !refused && !accepted;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_DROP_BUFFER_FULL] <= !refused && accepted && full;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_IN_RANGE_LENGTH_ERRORS] <= in_range_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_OUT_OF_RANGE_LENGTH] <= out_of_range_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_UNDERSIZE] <= runt_q && !fcs_bad_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_FRAGMENTS] <= runt_q && fcs_bad_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_JABBERS] <= oversize_q && fcs_bad_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_OVERSIZE_GOOD] <= oversize_q && !fcs_bad_q;
          ev_mask_o[nic_1g_pkg::RX_COUNTER_CRC_ALIGN_ERRORS] <= !runt_q && !oversize_q && fcs_bad_q;
          if (!runt_q && !oversize_q) begin
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_64] <= wire_q == 16'd64;
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_65_127] <= wire_q > 16'd64 && wire_q < 16'd128;
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_128_255] <= wire_q[15:7] == 9'd1;
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_256_511] <= wire_q[15:8] == 8'd1;
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_512_1023] <= wire_q[15:9] == 7'd1;
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_1024_1518] <= wire_q[15:10] != '0 && wire_q < 16'd1519;
            ev_mask_o[nic_1g_pkg::RX_COUNTER_PKTS_1519_MAX] <= wire_q >= 16'd1519;
          end
        end
      end else if (ev_ready_i) begin
        ev_valid_o <= 1'b0;
      end
    end
  end

endmodule

`default_nettype wire
