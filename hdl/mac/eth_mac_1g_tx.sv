// SPDX-License-Identifier: Apache-2.0
// Transmit half of the 1 Gb/s MAC (802.3 clauses 3 and 35). Takes a frame from the destination address on as octets of
// s_axis_tx, sends preamble, SFD, the octets, zero padding to 60, FCS and at least cfg_ifg_i (8 or more) idle cycles. The first
// preamble octet follows the accepted first beat by one cycle. Once begun, a frame needs a beat in every cycle in which tready is
// high: a missing one (underrun) or one with tuser (abort; its octet already goes under tx_er) ends it with four octets of
// complemented FCS under tx_er, and its remaining beats are swallowed. cfg_host_fcs_i: the frame brings its own FCS, nothing is added. One tx_done_o pulse per frame.
`default_nettype none
`include "check.svh"

module eth_mac_1g_tx (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    // frame source
    input  wire logic [ 7:0] s_axis_tx_tdata,
    input  wire logic        s_axis_tx_tvalid,
    output      logic        s_axis_tx_tready,
    input  wire logic        s_axis_tx_tlast,
    input  wire logic        s_axis_tx_tuser,
    // PHY
    output      logic [ 7:0] gmii_txd_o,
    output      logic        gmii_tx_en_o,
    output      logic        gmii_tx_er_o,
    // configuration, taken at the start of a frame
    input  wire logic [ 7:0] cfg_ifg_i,
    input  wire logic        cfg_host_fcs_i,
    // verdict
    output      logic        tx_done_o,
    output      logic        tx_abort_o,
    output      logic [15:0] tx_octets_o // after the SFD, with padding and FCS
);

  localparam logic [7:0] Preamble = 8'h55, Sfd = 8'hD5;
  localparam logic [15:0] MinOctets = 16'd60;
  localparam logic [7:0] MinIfg = 8'd8;

  typedef enum logic [2:0] {
    StIdle,     // the first octet of a frame starts the preamble
    StPreamble, // six more octets of preamble, then the SFD
    StData,     // the held octet goes out, the next one comes in
    StPad,      // zeros up to 60 octets
    StFcs,      // four octets of FCS
    StError,    // four octets that cannot be an FCS, under tx_er
    StDrain,    // the rest of a broken frame is swallowed
    StIfg       // the line stays idle
  } state_t;

  state_t state_q;
  logic [7:0] hold_q, step_q;
  logic hold_last_q, hold_bad_q, host_fcs_q, abort_q, done_q;
  logic long_enough_q; // with the octet that goes out now the frame has 60
  logic [31:0] crc_q, crc_next;
  logic [15:0] octets_q;
  logic accept, active, data_ends, fourth;
  logic [7:0] last_idle_q; // step that ends the gap

  crc32 u_crc (.crc_i(crc_q), .data_i(hold_q), .crc_o(crc_next));

  assign s_axis_tx_tready = state_q == StIdle || (state_q == StData && !hold_last_q) || state_q == StDrain;
  assign accept = s_axis_tx_tvalid && s_axis_tx_tready;
  assign active = `AWAKE(state_q != StIdle || accept);
  assign fourth = step_q[1:0] == 2'd3;
  assign data_ends = hold_last_q && (host_fcs_q || long_enough_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIfg;
      step_q <= 8'd0;
    end else if (active) begin
      case (state_q)
        StIdle: if (accept) begin
          state_q <= StPreamble;
          step_q <= 8'd0;
        end
        StPreamble: begin
          step_q <= step_q + 8'd1;
          if (step_q == 8'd6) begin
            state_q <= StData;
            step_q <= 8'd0;
          end
        end
        StData: begin
          if (hold_bad_q) state_q <= StError;
          else if (data_ends && host_fcs_q) state_q <= StIfg;
          else if (data_ends) state_q <= StFcs;
          else if (hold_last_q) state_q <= StPad;
          else if (!accept) state_q <= StError;
        end
        StPad: if (long_enough_q) state_q <= StFcs;
        StFcs, StError: begin
          step_q <= step_q + 8'd1;
          if (fourth) begin
            if (state_q == StFcs || hold_last_q) state_q <= StIfg;
            else state_q <= StDrain;
            step_q <= 8'd0;
          end
        end
        StDrain: if (accept && s_axis_tx_tlast) state_q <= StIfg;
        StIfg: begin
          step_q <= step_q + 8'd1;
          if (step_q == last_idle_q) state_q <= StIdle;
        end
        default: state_q <= StIdle;
      endcase
    end
  end

  // The held octet: accepted from the source, zero while padding.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_q <= 8'd0;
      hold_last_q <= 1'b0;
      hold_bad_q <= 1'b0;
    end else if (accept) begin
      hold_q <= s_axis_tx_tdata;
      hold_last_q <= s_axis_tx_tlast;
      hold_bad_q <= s_axis_tx_tuser;
    end else if (state_q == StData) begin
      hold_q <= 8'd0;
    end
  end

  // The line, the CRC over what goes out, and the count of octets.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      gmii_txd_o <= 8'd0;
      gmii_tx_en_o <= 1'b0;
      gmii_tx_er_o <= 1'b0;
      crc_q <= '1;
      octets_q <= 16'd0;
      long_enough_q <= 1'b0;
      host_fcs_q <= 1'b0;
      abort_q <= 1'b0;
      done_q <= 1'b0;
      last_idle_q <= MinIfg - 8'd1;
    end else if (active) begin
      case (state_q)
        StIdle: if (accept) begin
          gmii_txd_o <= Preamble;
          gmii_tx_en_o <= 1'b1;
          crc_q <= '1;
          octets_q <= 16'd0;
          long_enough_q <= 1'b0;
          host_fcs_q <= cfg_host_fcs_i;
          last_idle_q <= (cfg_ifg_i < MinIfg ? MinIfg : cfg_ifg_i) - 8'd1;
          abort_q <= 1'b0;
        end
        StPreamble: if (step_q == 8'd6) gmii_txd_o <= Sfd;
        StData, StPad: begin
          gmii_txd_o <= hold_q;
          gmii_tx_er_o <= hold_bad_q;
          crc_q <= crc_next;
          if (octets_q == MinOctets - 16'd2) long_enough_q <= 1'b1;
          if (octets_q != '1) octets_q <= octets_q + 16'd1;
          done_q <= data_ends && host_fcs_q && !hold_bad_q;
        end
        StFcs, StError: begin
          gmii_txd_o <= state_q == StFcs ? ~crc_q[7:0] : crc_q[7:0];
          gmii_tx_er_o <= state_q == StError;
          abort_q <= state_q == StError;
          crc_q <= {8'd0, crc_q[31:8]};
          if (octets_q != '1) octets_q <= octets_q + 16'd1;
          done_q <= fourth;
        end
        default: begin
          if (gmii_tx_en_o) begin
            gmii_txd_o <= 8'd0;
            gmii_tx_en_o <= 1'b0;
            gmii_tx_er_o <= 1'b0;
            done_q <= 1'b0;
          end
        end
      endcase
    end
  end

  assign tx_done_o = done_q;
  assign tx_abort_o = abort_q;
  assign tx_octets_o = octets_q;

endmodule

`default_nettype wire
