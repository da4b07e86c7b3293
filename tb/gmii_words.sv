// SPDX-License-Identifier: Apache-2.0
// Gathers what is sent over GMII into words of up to eight octets, for gmii_sink and check_gmii: one pulse of valid_o per word, in
// the cycle after its last octet; the end of a carrier comes as a word of its own with last_o and 0 to 7 octets.
`default_nettype none

module gmii_words (
    input  wire logic        clk_i,
    input  wire logic [7:0]  gmii_d_i,
    input  wire logic        gmii_en_i,
    input  wire logic        gmii_er_i,
    output      logic        valid_o,
    output      logic        first_o,   // the first word of a carrier
    output      logic        last_o,
    output      logic        error_o,   // gmii_er so far in this carrier; with last_o: in all of it
    output      logic [3:0]  count_o,
    output      logic [63:0] octets_o,  // the first one in 7:0
    output      logic [63:0] start_o,   // time of the carrier's first octet
    output      logic [5:0]  gap_o      // idle cycles before the carrier, 63 or more: 63
);

  logic [63:0] octets_q;
  logic [2:0] count_q;
  logic [5:0] gap_q;
  logic en_q, first_q;

  wire logic quiet = !gmii_en_i && !en_q && !valid_o && gap_q == 6'd63;

  initial begin
    valid_o = 1'b0;
    first_o = 1'b0;
    last_o = 1'b0;
    error_o = 1'b0;
    count_o = 4'd0;
    octets_o = 64'd0;
    start_o = 64'd0;
    gap_o = 6'd0;
    octets_q = 64'd0;
    count_q = 3'd0;
    gap_q = 6'd63;
    en_q = 1'b0;
    first_q = 1'b0;
  end

  always @(posedge clk_i) begin
    if (quiet !== 1'b1) begin
      if (valid_o) valid_o <= 1'b0;
      if (gmii_en_i) begin
        octets_q <= {gmii_d_i, octets_q[63:8]};
        count_q <= count_q + 3'd1;
        if (!en_q) begin
          en_q <= 1'b1;
          first_q <= 1'b1;
          error_o <= gmii_er_i;
          start_o <= 64'($time);
          gap_o <= gap_q;
        end else if (gmii_er_i) begin
          error_o <= 1'b1;
        end
        if (count_q == 3'd7) begin
          valid_o <= 1'b1;
          last_o <= 1'b0;
          first_o <= first_q;
          first_q <= 1'b0;
          count_o <= 4'd8;
          octets_o <= {gmii_d_i, octets_q[63:8]};
        end
      end else if (en_q) begin
        en_q <= 1'b0;
        count_q <= 3'd0;
        gap_q <= 6'd1;
        valid_o <= 1'b1;
        last_o <= 1'b1;
        first_o <= first_q;
        count_o <= {1'b0, count_q};
        octets_o <= octets_q >> (8 * (8 - {1'b0, count_q}));
      end else if (gap_q != 6'd63) begin
        gap_q <= gap_q + 6'd1;
      end
    end
  end

endmodule

`default_nettype wire
