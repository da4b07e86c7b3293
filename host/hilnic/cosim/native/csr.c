/* SPDX-License-Identifier: Apache-2.0
 * Register accesses of the CPU: posted writes and reads in one order, each with the time at which it reaches the NIC. */
#include "hostmem.h"
#include <string.h>

enum { DEPTH = 1 << 14 };
struct access { u64 due, tag; u32 write, address, data; };
struct queue { struct access at[DEPTH]; u32 head, tail; u64 last_due, random; u32 active; };
static struct queue queues[HM_CARDS];

void csr_reset(u32 card) {
    memset(&queues[card], 0, sizeof queues[card]);
    queues[card].random = hm_shared.settings[card].seed * 2 + 0x5EED;
}

void hm_csr_push(u32 card, u32 write, u32 address, u32 data, u64 due, u64 tag) {
    struct queue *q = &queues[card];
    if (q->tail - q->head == DEPTH) {
        hm_fault(card, "HARNESS-02", address, 4, 0, due, "%u register accesses wait: the NIC answers none", DEPTH);
        return;
    }
    if (due < q->last_due) due = q->last_due;
    q->last_due = due;
    q->at[q->tail++ % DEPTH] = (struct access){due, tag, write, address, data};
}

u32 csr_step(u32 card, u64 now) {
    const struct queue *q = &queues[card];
    return !q->active && q->head != q->tail && q->at[q->head % DEPTH].due <= now ? HM_CTL_CSR : 0;
}

/* The next access that is due stays at the head until hm_csr_done. */
u64 hm_csr(u64 card, u64 now) {
    struct queue *q = &queues[card];
    if (!csr_step((u32)card, now)) return 0;
    const struct access *a = &q->at[q->head % DEPTH];
    const struct hm_settings *s = &hm_shared.settings[card];
    u64 delays = s->stall_percent && hm_random(&q->random) % 100 < s->stall_percent ? hm_random(&q->random) & 0xFF : 0;
    q->active = 1;
    if (a->write) {
        wire_csr((u32)card, a->address, a->data);
        rings_csr_write((u32)card, a->address, a->data, now);
    }
    return 1 | (u64)a->write << 1 | (u64)(a->address & 0xFFFFFF) << 8 | delays << 32;
}

u64 hm_csr_wdata(u64 card, u64 now) {
    const struct queue *q = &queues[card];
    (void)now;
    return q->at[q->head % DEPTH].data;
}

u64 hm_csr_done(u64 card, u64 resp, u64 rdata, u64 now) {
    struct queue *q = &queues[card];
    struct hm_statistics *t = &hm_shared.statistics[card];
    const struct access *a = &q->at[q->head % DEPTH];
    t->progress++;
    if (a->write) {
        t->csr_writes++;
        t->csr_write_errors += resp != 0;
    } else {
        t->csr_reads++;
        if (!resp) rings_csr_read((u32)card, a->address, (u32)rdata, now);
        hm_post((u32)card, HM_EVENT_CSR, now, now + hm_shared.settings[card].csr_return_ps, a->tag, rdata | resp << 32);
    }
    q->head++;
    q->active = 0;
    return 0;
}
