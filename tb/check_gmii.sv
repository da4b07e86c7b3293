// SPDX-License-Identifier: Apache-2.0
// Rules of the NIC's GMII transmit pins (802.3 clauses 3, 4.4.2 and 35). The limits of gap and length follow the NIC's registers.
// GMII-01 seven octets of preamble   GMII-02 start frame delimiter   GMII-03 gap at least as programmed   GMII-04 at least 64 octets
// GMII-05 at most the longest frame  GMII-06 frame check sequence    GMII-07 pins known                   GMII-08 error only in a carrier
// A carrier with gmii_tx_er in it is an abort: rules 04 and 06 do not apply to it.
`default_nettype none
`include "hostmem.svh"

module check_gmii #(
    parameter int Card = 0
) (
    input wire logic       clk_i,
    input wire logic       rst_ni,
    input wire logic [7:0] gmii_d_i,
    input wire logic       gmii_en_i,
    input wire logic       gmii_er_i
);

  logic [63:0] octets_q, limits, crc, late;
  logic [31:0] crc_q;
  logic [15:0] position_q; // in the carrier, saturates
  logic [5:0] gap_q;       // idle cycles, saturates
  logic en_q, error_q, tagged_q;

  initial begin
    en_q = 1'b0;
    gap_q = 6'd63;
    error_q = 1'b0;
    tagged_q = 1'b0;
    position_q = 16'd0;
    octets_q = 64'd0;
    crc_q = 32'hFFFFFFFF;
  end

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      en_q <= 1'b0;
      gap_q <= 6'd63;
      error_q <= 1'b0;
    end else if (gmii_en_i === 1'b1) begin
      if (!en_q) begin
        late = `HM_GAP(Card, gap_q);
        if (late[0]) `BREACH(Card, "GMII-03", "gmii_tx_en_o rises after a gap that is shorter than MAC_CFG.ifg");
      end
      if (^{gmii_d_i, gmii_er_i} === 1'bx) `BREACH(Card, "GMII-07", "gmii_txd_o or gmii_tx_er_o is unknown in a carrier");
      if (position_q < 16'd7) begin
        if (gmii_d_i != 8'h55) `BREACH(Card, "GMII-01", "gmii_txd_o is not 0x55 in the first seven octets");
      end else if (position_q == 16'd7) begin
        if (gmii_d_i != 8'hD5) `BREACH(Card, "GMII-02", "gmii_txd_o is not 0xD5 in the eighth octet");
      end else if (position_q == 16'd21) begin
        tagged_q <= {octets_q[63:56], gmii_d_i} == 16'h8100 || {octets_q[63:56], gmii_d_i} == 16'h88A8;
      end
      octets_q <= {gmii_d_i, octets_q[63:8]};
      if (position_q[2:0] == 3'd7) begin
        crc = `HM_CRC(crc_q, {gmii_d_i, octets_q[63:8]}, 64'd8);
        crc_q <= position_q == 16'd7 ? 32'hFFFFFFFF : crc[31:0];
      end
      if (position_q != 16'hFFFF) position_q <= position_q + 16'd1;
      if (gmii_er_i) error_q <= 1'b1;
      if (!en_q) en_q <= 1'b1;
    end else begin
      if (gmii_en_i === 1'bx) `BREACH(Card, "GMII-07", "gmii_tx_en_o is unknown");
      if (gmii_er_i !== 1'b0) `BREACH(Card, "GMII-08", "gmii_tx_er_o is not 0 outside of a carrier");
      if (en_q) begin
        en_q <= 1'b0;
        gap_q <= 6'd1;
        error_q <= 1'b0;
        tagged_q <= 1'b0;
        position_q <= 16'd0;
        crc_q <= 32'hFFFFFFFF;
        crc = `HM_CRC(crc_q, octets_q >> (8 * (8 - {1'b0, position_q[2:0]})), position_q[2:0]);
        limits = `HM_LIMIT(Card, {tagged_q, position_q - 16'd8});
        if (position_q < 16'd8) begin
          `BREACH(Card, "GMII-02", "gmii_tx_en_o falls before the start frame delimiter");
        end else begin
          if (limits[1]) `BREACH(Card, "GMII-05", "a frame is longer than MAX_FRAME");
          if (!error_q && limits[0]) `BREACH(Card, "GMII-04", "a frame is shorter than 64 octets");
          if (!error_q && !limits[2] && crc[31:0] != 32'hDEBB20E3) `BREACH(Card, "GMII-06", "a frame has a wrong check sequence");
        end
      end else if (gap_q != 6'd63) begin
        gap_q <= gap_q + 6'd1;
      end
    end
  end

endmodule

`default_nettype wire
