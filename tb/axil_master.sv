// SPDX-License-Identifier: Apache-2.0
// The CPU's side of the register bus: takes the accesses whose time has come from the C library (native/csr.c), one after the other,
// and hands their answers back. Random mode delays each valid and ready by 0 to 3 cycles.
`default_nettype none
`include "hostmem.svh"

module axil_master #(
    parameter int Card = 0
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic [12:0] ctl_i,
    // -> NIC's AXI4-Lite slave
    output      logic [23:0] m_axil_awaddr,
    output      logic        m_axil_awvalid,
    input  wire logic        m_axil_awready,
    output      logic [31:0] m_axil_wdata,
    output      logic        m_axil_wvalid,
    input  wire logic        m_axil_wready,
    input  wire logic [1:0]  m_axil_bresp,
    input  wire logic        m_axil_bvalid,
    output      logic        m_axil_bready,
    output      logic [23:0] m_axil_araddr,
    output      logic        m_axil_arvalid,
    input  wire logic        m_axil_arready,
    input  wire logic [31:0] m_axil_rdata,
    input  wire logic [1:0]  m_axil_rresp,
    input  wire logic        m_axil_rvalid,
    output      logic        m_axil_rready
);

  // StIdle: no access. StIssue: address and data are offered, each when its delay is over. StAnswer: wait for the response.
  typedef enum logic [1:0] {StIdle, StIssue, StAnswer} state_e;
  state_e state_q;

  logic [63:0] access, ignored;
  logic [2:0] aw_delay_q, w_delay_q;
  logic [1:0] ready_delay_q;
  logic write_q, aw_done_q, w_done_q;

  wire logic work = ctl_i[`CTL_CSR] || state_q != StIdle;

  always @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      m_axil_awvalid <= 1'b0;
      m_axil_wvalid <= 1'b0;
      m_axil_arvalid <= 1'b0;
      m_axil_bready <= 1'b0;
      m_axil_rready <= 1'b0;
    end else if (!work) begin
      // the usual cycle
    end else if (state_q == StIdle) begin
      access = ctl_i[`CTL_CSR] ? `HM_CSR(Card) : 64'd0;
      if (access[0]) begin
        state_q <= StIssue;
        write_q <= access[1];
        aw_done_q <= 1'b0;
        w_done_q <= 1'b0;
        aw_delay_q <= {1'b0, access[33:32]};
        w_delay_q <= {1'b0, access[35:34]};
        ready_delay_q <= access[37:36];
        m_axil_awaddr <= access[31:8];
        m_axil_araddr <= access[31:8];
        if (access[1]) begin
          m_axil_wdata <= 32'(`HM_CSR_WDATA(Card));
          m_axil_awvalid <= access[33:32] == 2'd0;
          m_axil_wvalid <= access[35:34] == 2'd0;
        end else begin
          m_axil_arvalid <= access[33:32] == 2'd0;
        end
      end
    end else if (state_q == StIssue) begin
      if (aw_delay_q != 3'd0) aw_delay_q <= aw_delay_q - 3'd1;
      if (w_delay_q != 3'd0) w_delay_q <= w_delay_q - 3'd1;
      if (write_q) begin
        if (aw_delay_q == 3'd1) m_axil_awvalid <= 1'b1;
        if (w_delay_q == 3'd1) m_axil_wvalid <= 1'b1;
        if (m_axil_awvalid && m_axil_awready) begin
          m_axil_awvalid <= 1'b0;
          aw_done_q <= 1'b1;
        end
        if (m_axil_wvalid && m_axil_wready) begin
          m_axil_wvalid <= 1'b0;
          w_done_q <= 1'b1;
        end
        if ((aw_done_q || (m_axil_awvalid && m_axil_awready)) && (w_done_q || (m_axil_wvalid && m_axil_wready))) begin
          state_q <= StAnswer;
          m_axil_bready <= ready_delay_q == 2'd0;
        end
      end else begin
        if (aw_delay_q == 3'd1) m_axil_arvalid <= 1'b1;
        if (m_axil_arvalid && m_axil_arready) begin
          m_axil_arvalid <= 1'b0;
          state_q <= StAnswer;
          m_axil_rready <= ready_delay_q == 2'd0;
        end
      end
    end else begin
      // a delayed ready lets the answer wait
      if (ready_delay_q != 2'd0 && (m_axil_bvalid || m_axil_rvalid)) ready_delay_q <= ready_delay_q - 2'd1;
      if (ready_delay_q == 2'd1 && (m_axil_bvalid || m_axil_rvalid)) begin
        m_axil_bready <= write_q;
        m_axil_rready <= !write_q;
      end
      if (m_axil_bvalid && m_axil_bready) begin
        m_axil_bready <= 1'b0;
        state_q <= StIdle;
        ignored = `HM_CSR_DONE(Card, m_axil_bresp, 64'd0);
      end
      if (m_axil_rvalid && m_axil_rready) begin
        m_axil_rready <= 1'b0;
        state_q <= StIdle;
        ignored = `HM_CSR_DONE(Card, m_axil_rresp, m_axil_rdata);
      end
    end
  end

endmodule

`default_nettype wire
