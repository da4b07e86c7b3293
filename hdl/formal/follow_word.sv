// SPDX-License-Identifier: Apache-2.0
// Follows one word through a stream, any one: mark_i is free, and picks it among those that are pushed while none is followed. A word is
// due when all that were inside before it have been popped. What comes out while due_o must be word_o: true for any word, this is order
// without loss, repetition or change.
`default_nettype none

module follow_word #(
    parameter int Width = 4,
    parameter int Bits  = 4 // of the number of words inside
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic             clear_i,
    input  wire logic             mark_i,
    input  wire logic             push_i,
    input  wire logic [Width-1:0] data_i,
    input  wire logic             pop_i,
    output      logic [ Bits-1:0] inside_o,   // words
    output      logic             followed_o, // the word is inside
    output      logic [ Bits-1:0] ahead_o,    // words before it
    output      logic [Width-1:0] word_o,
    output      logic             due_o
);

  assign due_o = followed_o && ahead_o == '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      inside_o <= '0;
      followed_o <= 1'b0;
      ahead_o <= '0;
    end else begin
      inside_o <= inside_o + Bits'(push_i) - Bits'(pop_i);
      if (!followed_o) begin
        followed_o <= push_i && mark_i;
        ahead_o <= inside_o - Bits'(pop_i);
        word_o <= data_i;
      end else if (pop_i) begin
        followed_o <= !due_o;
        ahead_o <= ahead_o - 1'b1;
      end
    end
  end

endmodule

`default_nettype wire
