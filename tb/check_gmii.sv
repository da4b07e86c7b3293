// SPDX-License-Identifier: Apache-2.0
// Rules of the NIC's GMII transmit pins (802.3 clauses 3, 4.4.2 and 35). The limits of gap and length follow the NIC's registers.
// GMII-01 seven octets of preamble   GMII-02 start frame delimiter   GMII-03 gap at least as programmed   GMII-04 at least 64 octets
// GMII-05 at most the longest frame  GMII-06 frame check sequence    GMII-07 pins known                   GMII-08 error only in a carrier
// A carrier with gmii_tx_er in it is an abort: rules 04 and 06 do not apply to it. Judges per word of gmii_words.
`default_nettype none
`include "hostmem.svh"

module check_gmii #(
    parameter int Card = 0
) (
    input wire logic        clk_i,
    input wire logic        rst_ni,
    input wire logic        gmii_en_i,
    input wire logic        gmii_er_i,
    // <- gmii_words
    input wire logic        valid_i,
    input wire logic        first_i,
    input wire logic        last_i,
    input wire logic        error_i,
    input wire logic [3:0]  count_i,
    input wire logic [63:0] octets_i,
    input wire logic [5:0]  gap_i
);

  logic [63:0] result;
  logic [31:0] crc_q;
  logic [15:0] length_q; // octets after the SFD
  logic [1:0] word_q;    // number of the word, saturates
  logic tagged_q, cut_q; // cut: a reset fell into the carrier

  wire logic odd = gmii_en_i ? 1'b0 : gmii_er_i; // x when gmii_en_i is
  wire logic look = valid_i || odd || cut_q || !rst_ni;

  initial begin
    crc_q = 32'hFFFFFFFF;
    length_q = 16'd0;
    word_q = 2'd0;
    tagged_q = 1'b0;
    cut_q = 1'b0;
  end

  always @(posedge clk_i) begin
    if (look === 1'b0) begin
      // the usual cycle
    end else if (!rst_ni) begin
      cut_q <= 1'b1;
      tagged_q <= 1'b0;
      word_q <= 2'd0;
    end else if (!valid_i) begin
      if (cut_q) cut_q <= gmii_en_i !== 1'b0;
      else if (odd === 1'b1) `BREACH(Card, "GMII-08", "gmii_tx_er_o outside of a carrier");
      else if (odd === 1'bx) `BREACH(Card, "GMII-07", "gmii_tx_en_o or gmii_tx_er_o is unknown");
    end else begin
      if (^octets_i === 1'bx || error_i === 1'bx) `BREACH(Card, "GMII-07", "gmii_txd_o or gmii_tx_er_o is unknown in a carrier");
      if (first_i && !cut_q) begin
        result = `HM_GAP(Card, gap_i);
        if (result[0]) `BREACH(Card, "GMII-03", "gmii_tx_en_o rises after a gap that is shorter than MAC_CFG.ifg");
        if (count_i != 4'd8) `BREACH(Card, "GMII-02", "gmii_tx_en_o falls before the start frame delimiter");
        else if (octets_i[55:0] != 56'h55555555555555)
          `BREACH(Card, "GMII-01", "gmii_txd_o is not 0x55 in the first seven octets");
        else if (octets_i[63:56] != 8'hD5) `BREACH(Card, "GMII-02", "gmii_txd_o is not 0xD5 in the eighth octet");
      end
      result = first_i ? 64'hFFFFFFFF : `HM_CRC(crc_q, octets_i, count_i);
      crc_q <= result[31:0];
      if (word_q == 2'd2) tagged_q <= octets_i[47:32] == 16'h0081 || octets_i[47:32] == 16'hA888;
      if (word_q != 2'd3) word_q <= word_q + 2'd1;
      length_q <= first_i ? 16'd0 : length_q + {12'd0, count_i};
      if (last_i) begin
        if (!cut_q && !first_i) begin
          if (!error_i && result[31:0] != 32'hDEBB20E3) begin
            result = `HM_LIMIT(Card, 64'd0);
            if (!result[2]) `BREACH(Card, "GMII-06", "a frame has a wrong check sequence");
          end
          result = `HM_LIMIT(Card, {tagged_q, length_q + {12'd0, count_i}});
          if (!error_i && result[0]) `BREACH(Card, "GMII-04", "a frame is shorter than 64 octets");
          if (result[1]) `BREACH(Card, "GMII-05", "a frame is longer than MAX_FRAME");
        end
        cut_q <= 1'b0;
        tagged_q <= 1'b0;
        word_q <= 2'd0;
        crc_q <= 32'hFFFFFFFF;
      end
    end
  end

endmodule

`default_nettype wire
