// SPDX-License-Identifier: Apache-2.0
// Receive half of the 1 Gb/s MAC (802.3 clauses 3 and 35). Hunts for the SFD, then passes the frame's octets without FCS
// (cfg_keep_fcs_i: with it) to m_axis_rx, which cannot push back: first beat at most 7 cycles after the first octet on the pins;
// tuser with tlast marks a bad frame. A frame above the maximum is cut there. Every carrier, and every false carrier, ends with one
// rx_valid_o pulse, not before its last beat; frames of up to 4 octets (1 with the FCS kept) have no beats. What counts as
// which error: docs/nic.md section 7.
`default_nettype none
`include "check.svh"

module eth_mac_1g_rx (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // PHY
    input  wire logic [ 7:0] gmii_rxd_i,
    input  wire logic        gmii_rx_dv_i,
    input  wire logic        gmii_rx_er_i,
    // frame sink
    output      logic [ 7:0] m_axis_rx_tdata,
    output      logic        m_axis_rx_tvalid,
    output      logic        m_axis_rx_tlast,
    output      logic        m_axis_rx_tuser,
    // configuration, taken at the start of a frame
    input  wire logic [15:0] cfg_max_frame_i,
    input  wire logic        cfg_keep_fcs_i,
    // status of the carrier that just ended
    output      logic        rx_valid_o,
    output      logic [15:0] rx_octets_o, // after the SFD, with FCS
    output      logic        rx_fcs_bad_o,
    output      logic        rx_er_o,
    output      logic        rx_runt_o,
    output      logic        rx_oversize_o,
    output      logic        rx_false_carrier_o,
    output      logic        rx_missing_sfd_o,
    output      logic        rx_length_mismatch_o,
    output      logic        rx_length_range_o,
    output      logic        rx_tagged_o
);

  localparam logic [7:0] Sfd = 8'hD5;
  localparam logic [15:0] MinOctets = 16'd64;
  localparam logic [31:0] Residue = 32'hDEBB20E3;

  typedef enum logic [2:0] {
    StSkip, // after reset: ignore a carrier that is already there
    StIdle, // no carrier
    StHunt, // carrier, the SFD has not been seen
    StData, // octets of the frame
    StCut   // octets above the maximum are counted, no longer passed
  } state_t;

  state_t state_q;
  logic [7:0] d_q;
  logic dv_q, er_q;
  logic [39:0] line_q; // the last five octets, the newest on top
  logic [31:0] crc_q, crc_next;
  logic [15:0] octets_q, type_q, expected_q, newest_pair;
  logic seen_er_q, keep_q, tagged_q, false_q, valid_q;
  logic pins_active, state_moves, reports, in_frame, ends, overflows, emits, idle_code, false_carrier, missing, fcs_bad, runt, oversize, bad, is_tag;
  logic [16:0] limit_q; // longest frame allowed

  // The pins, registered.
  assign pins_active = gmii_rx_dv_i || dv_q || gmii_rx_er_i || er_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      d_q <= 8'd0;
      dv_q <= 1'b1;
      er_q <= 1'b0;
    end else if (pins_active) begin
      d_q <= gmii_rxd_i;
      dv_q <= gmii_rx_dv_i;
      er_q <= gmii_rx_er_i;
    end
  end

  assign state_moves = `AWAKE(dv_q || (state_q != StIdle));

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StSkip;
    end else if (state_moves) begin
      case (state_q)
        StSkip: if (!dv_q) state_q <= StIdle;
        StIdle, StHunt: begin
          if (!dv_q) state_q <= StIdle;
          else if (d_q == Sfd) state_q <= StData;
          else state_q <= StHunt;
        end
        StData: begin
          if (!dv_q) state_q <= StIdle;
          else if (overflows) state_q <= StCut;
        end
        StCut: if (!dv_q) state_q <= StIdle;
        default: state_q <= StSkip;
      endcase
    end
  end

  crc32 u_crc (.crc_i(crc_q), .data_i(d_q), .crc_o(crc_next));

  assign in_frame = state_q == StData || state_q == StCut;
  assign overflows = {1'b0, octets_q} >= limit_q;
  assign newest_pair = {line_q[31:24], line_q[39:32]};
  assign is_tag = newest_pair == 16'h8100 || newest_pair == 16'h88A8;

  // What a frame collects while it passes: its last octets, CRC, count, errors; type or length (of the inner tag), and from it
  // the octets that a frame with this length field has.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      line_q <= 40'd0;
      crc_q <= '1;
      octets_q <= 16'd0;
      seen_er_q <= 1'b0;
      keep_q <= 1'b0;
      tagged_q <= 1'b0;
      type_q <= '1;
      limit_q <= '0;
      expected_q <= 16'd0;
    end else if (dv_q) begin
      if (in_frame) begin
        line_q <= {d_q, line_q[39:8]};
        crc_q <= crc_next;
        if (octets_q != '1) octets_q <= octets_q + 16'd1;
        if (er_q) seen_er_q <= 1'b1;
        if (octets_q < 16'd20) begin
          if (octets_q == 16'd14) tagged_q <= is_tag;
          if (octets_q == 16'd15 && tagged_q) limit_q <= limit_q + 17'd4;
          if (octets_q == 16'd14 || (octets_q == 16'd18 && tagged_q)) type_q <= newest_pair;
          expected_q <= type_q + (tagged_q ? 16'd22 : 16'd18);
        end else if (octets_q == 16'd20 && expected_q < MinOctets) begin
          expected_q <= MinOctets;
        end
      end else begin
        crc_q <= '1;
        octets_q <= 16'd0;
        seen_er_q <= er_q || (seen_er_q && state_q == StHunt);
        keep_q <= cfg_keep_fcs_i;
        tagged_q <= 1'b0;
        type_q <= '1;
        limit_q <= {1'b0, cfg_max_frame_i};
      end
    end
  end

  assign ends = !dv_q && (in_frame || state_q == StHunt);
  assign emits = state_q == StData && (keep_q ? octets_q != 16'd0 : octets_q >= 16'd5);
  assign idle_code = d_q == 8'h00 || d_q == 8'h01 || d_q == 8'h0F || d_q == 8'h1F;
  assign false_carrier = state_q == StIdle && er_q && !dv_q && !idle_code;
  assign missing = !in_frame || octets_q == 16'd0;
  assign fcs_bad = crc_q != Residue;
  assign runt = octets_q < MinOctets;
  assign oversize = state_q == StCut;
  assign bad = missing || fcs_bad || runt || seen_er_q || oversize;

  assign reports = state_q != StIdle || valid_q || er_q || false_q;

  // Beats and status.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      m_axis_rx_tdata <= 8'd0;
      m_axis_rx_tvalid <= 1'b0;
      m_axis_rx_tlast <= 1'b0;
      m_axis_rx_tuser <= 1'b0;
      valid_q <= 1'b0;
      false_q <= 1'b0;
      rx_octets_o <= 16'd0;
      rx_fcs_bad_o <= 1'b0;
      rx_er_o <= 1'b0;
      rx_runt_o <= 1'b0;
      rx_oversize_o <= 1'b0;
      rx_false_carrier_o <= 1'b0;
      rx_missing_sfd_o <= 1'b0;
      rx_length_mismatch_o <= 1'b0;
      rx_length_range_o <= 1'b0;
      rx_tagged_o <= 1'b0;
    end else if (reports) begin
      m_axis_rx_tvalid <= emits;
      if (emits) begin
        m_axis_rx_tdata <= keep_q ? line_q[39:32] : line_q[7:0];
        m_axis_rx_tlast <= !dv_q || overflows;
        m_axis_rx_tuser <= dv_q ? overflows : bad;
      end
      false_q <= false_carrier;
      valid_q <= ends || (false_carrier && !false_q);
      if (ends || false_carrier) begin
        rx_octets_o <= missing ? 16'd0 : octets_q;
        rx_fcs_bad_o <= !missing && fcs_bad;
        rx_er_o <= !missing && seen_er_q;
        rx_runt_o <= !missing && runt;
        rx_oversize_o <= oversize;
        rx_false_carrier_o <= false_carrier;
        rx_missing_sfd_o <= !false_carrier && missing;
        rx_length_mismatch_o <= !bad && type_q <= 16'd1500 && octets_q != expected_q;
        rx_length_range_o <= !bad && type_q > 16'd1500 && type_q < 16'd1536;
        rx_tagged_o <= !missing && tagged_q;
      end
    end
  end

  assign rx_valid_o = valid_q;

endmodule

`default_nettype wire
