/* SPDX-License-Identifier: Apache-2.0
 * The ring monitor: follows the queues' configuration on the register bus and every DMA access, and knows who owns what.
 *
 *   ring    done            fetched            producer          (free-running u32, masked at use)
 *    | free  | NIC owns, read | NIC owns, unread |  free  |
 *   completions  next: written so far   visible: write response handed over   consumer: of the last re-arm
 *
 * RING-01 descriptor read outside of an enabled ring   RING-02 descriptor read that the NIC does not own (past the producer)
 * RING-03 transmit data read outside of owned buffers  RING-04 receive data written outside of owned buffers
 * RING-05 completion not at the next entry, or not one whole burst   RING-06 completion's index or phase wrong
 * RING-07 completion before the data's responses       RING-08 interrupt without a visible completion, or while masked
 * RING-09 outstanding or new DMA after the queue's idle acknowledgement
 */
#include "rings.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_TX_DESC = 0, ID_RX_DESC = 1, ID_TX_DATA = 2, ID_RX_DATA = 0, ID_CPL = 1 };

static const u64 UNDER_WAY_PS = 1000000; /* from a register write's issue to its effect */
static struct rings all[HM_CARDS];

void rings_reset(u32 card) {
    for (u32 dir = 0; dir < 2; dir++)
        for (u32 i = 0; i < QUEUES; i++) free(all[card].q[dir][i].slots);
    memset(&all[card], 0, sizeof all[card]);
}

static int power_of_two(u32 x) { return x >= 2 && x <= 32768 && !(x & (x - 1)); }

/* ---- registers ---- */
static void enable(struct rings *r, struct queue *q, u32 dir) {
    const u32 *p = q->page;
    u32 buffer = p[NIC_QUEUE_BUF_SIZE / 4];
    q->ring = p[NIC_QUEUE_RING_LO / 4] | (u64)p[NIC_QUEUE_RING_HI / 4] << 32;
    q->cpl = p[NIC_QUEUE_CPL_LO / 4] | (u64)p[NIC_QUEUE_CPL_HI / 4] << 32;
    q->size = p[NIC_QUEUE_RING_SIZE / 4] & NIC_QUEUE_RING_SIZE_ENTRIES_MASK;
    q->cpl_size = p[NIC_QUEUE_CPL_SIZE / 4] & NIC_QUEUE_CPL_SIZE_ENTRIES_MASK;
    q->producer = q->fetched = q->done = p[NIC_QUEUE_INIT_INDEX / 4];
    q->begun = q->next = q->visible = q->consumer = p[NIC_QUEUE_CPL_INIT_INDEX / 4];
    q->armed = MASKED;
    if (!power_of_two(q->size) || !power_of_two(q->cpl_size) || q->cpl_size < q->size || (q->ring | q->cpl) & 63 ||
        (dir == RX && (buffer < NIC_SMALLEST_BUFFER || buffer > NIC_LARGEST_BUFFER))) {
        q->state = FAILED; /* no DMA is expected of a bad configuration */
        q->size = q->cpl_size = 0;
        return;
    }
    free(q->slots);
    q->slots = calloc(q->size, sizeof *q->slots);
    for (u32 i = 0; i < q->size; i++) q->slots[i].of = q;
    ranges_add(&r->descriptors[dir], q, q->ring, q->ring + (u64)q->size * DESC);
    ranges_add(&r->completions, q, q->cpl, q->cpl + (u64)q->cpl_size * CPL);
    q->state = ON;
}

static void doorbell(struct queue *q, u32 producer) {
    if (q->state != ON) return;
    if (producer - q->done > q->size) q->state = FAILED; /* the NIC has to stop the queue */
    else q->producer = producer;
}

/* From now on the queue may explain a message. */
static void note(struct rings *r, struct queue *q) {
    if (q->noted) return;
    q->noted = 1;
    q->next_noted = r->noted;
    r->noted = q;
}

/* The NIC takes re-arms in state enabled only. When exactly a queue left it (an error, a soft reset that walks over the queues) is
 * not known here: then both are allowed, the re-arm and that it is ignored. A message may be under way when the re-arm is written. */
static void rearm(struct rings *r, struct queue *q, u32 consumer, u64 now) {
    if (q->armed && (int32_t)(q->visible - q->consumer) > 0) q->late_until = now + UNDER_WAY_PS;
    if (q->state == ON) q->consumer = consumer, q->since = now;
    if (q->state != OFF) q->armed = ARMED;
    note(r, q);
}

static void page_write(struct rings *r, u32 dir, u32 number, u32 offset, u32 data) {
    struct queue *q = &r->q[dir][number];
    if (offset == NIC_QUEUE_CTRL) {
        if (number >= r->used) r->used = number + 1;
        if (data & 1 && q->state == OFF) enable(r, q, dir);
        else if (!(data & 1) && q->state != OFF) q->state = LEAVING;
    } else if ((q->state == OFF || offset == NIC_QUEUE_MOD_COUNT || offset == NIC_QUEUE_MOD_TICKS) && offset / 4 < PAGE_WORDS) {
        q->page[offset / 4] = data;
    }
}

void rings_csr_write(u32 card, u32 address, u32 data, u64 now) {
    struct rings *r = &all[card];
    if (address >= NIC_TX_PAGE(0) && address < NIC_TX_PAGE(QUEUES)) {
        page_write(r, TX, (address - NIC_TX_PAGE(0)) >> 8, address & 0xFF, data);
    } else if (address >= NIC_RX_PAGE(0) && address < NIC_RX_PAGE(QUEUES)) {
        page_write(r, RX, (address - NIC_RX_PAGE(0)) >> 8, address & 0xFF, data);
    } else if (address >= NIC_TX_DOORBELL(0) && address < NIC_RX_REARM(QUEUES)) {
        u32 group = (address - NIC_TX_DOORBELL(0)) / (4 * QUEUES);
        struct queue *q = &r->q[group & 1 ? RX : TX][address / 4 % QUEUES];
        if (group & 2) {
            rearm(r, q, data, now);
        } else {
            doorbell(q, data);
        }
    } else if (address == NIC_MISC_ENABLE) {
        if (r->misc_enable && !data) r->misc_until = now + UNDER_WAY_PS;
        r->misc_enable = data;
    } else if (address == NIC_CTRL && data & NIC_CTRL_SOFT_RESET_MASK) {
        r->resetting = 1;
        for (u32 dir = 0; dir < 2; dir++)
            for (u32 i = 0; i < r->used; i++)
                if (r->q[dir][i].state != OFF) r->q[dir][i].state = LEAVING;
    }
}

static void acknowledged(u32 card, struct queue *q, u32 dir, u64 now) {
    u64 ring_end = q->ring + (u64)q->size * DESC, cpl_end = q->cpl + (u64)q->cpl_size * CPL;
    q->state = OFF;
    if (bus_overlaps(card, 0, dir == TX ? ID_TX_DESC : ID_RX_DESC, q->ring, ring_end) ||
        bus_overlaps(card, 1, ID_CPL, q->cpl, cpl_end))
        hm_fault(card, "RING-09", q->ring, 0, dir, now, "the queue is reported disabled with ring DMA outstanding");
    for (u32 i = q->done; i != q->fetched; i++) {
        const struct slot *s = &q->slots[i & (q->size - 1)];
        if (s->length && bus_overlaps(card, dir, dir == TX ? ID_TX_DATA : ID_RX_DATA, s->address, s->address + s->length))
            hm_fault(card, "RING-09", s->address, s->length, dir, now, "the queue is reported disabled with data DMA outstanding");
    }
    for (u32 i = 0; i < q->size; i++) buffer_leave(&q->slots[i]);
    ranges_remove(&all[card].descriptors[dir], q);
    ranges_remove(&all[card].completions, q);
}

void rings_csr_read(u32 card, u32 address, u32 data, u64 now) {
    struct rings *r = &all[card];
    if (address == NIC_CTRL && r->resetting && !(data & NIC_CTRL_SOFT_RESET_MASK)) {
        r->resetting = 0;
        for (u32 i = 0; i < 2 * r->used; i++) {
            struct queue *q = &r->q[i / r->used][i % r->used];
            if (q->state != OFF) acknowledged(card, q, i / r->used, now);
        }
        for (u32 i = 0; i < 2 * QUEUES; i++) memset(r->q[i / QUEUES][i % QUEUES].page, 0, sizeof r->q[0][0].page);
        r->misc_enable = 0;
    }
    u32 dir = address >= NIC_RX_PAGE(0) ? RX : TX;
    if (address < NIC_TX_PAGE(0) || address >= NIC_RX_PAGE(QUEUES) || (address & 0xFF) != NIC_QUEUE_STATUS) return;
    struct queue *q = &r->q[dir][(address >> 8) % QUEUES];
    if (q->state == LEAVING && !(data & NIC_QUEUE_STATUS_STATE_MASK)) acknowledged(card, q, dir, now);
}

/* ---- DMA ---- */
static struct queue *ring_at(u32 card, u32 dir, u64 address) { return ranges_find(&all[card].descriptors[dir], address); }

static struct queue *completions_at(u32 card, u64 address, u32 *dir) {
    struct queue *q = ranges_find(&all[card].completions, address);
    *dir = q && q < all[card].q[RX] ? TX : RX;
    return q;
}

/* Is the buffer of a descriptor that has been fetched and is not done? */
static int outstanding(const struct slot *s, u32 done) {
    const struct queue *q = s->of;
    return s->length && (((u32)(s - q->slots) - done) & (q->size - 1)) < q->fetched - done;
}

static int owned(u32 card, u32 dir, u64 from, u64 to) {
    struct walk near = buffers_near(&all[card], dir, from, to);
    for (const struct slot *s; (s = buffers_next(&near));) {
        u64 first = dir == TX ? s->address & ~7ull : s->address;
        u64 end = dir == TX ? (s->address + s->length + 7) & ~7ull : s->address + s->length;
        if (from >= first && to <= end && outstanding(s, s->of->done)) return 1;
    }
    return 0;
}

void rings_read_begin(u32 card, u32 id, u64 address, u32 bytes, u64 now) {
    u32 dir = id == ID_RX_DESC ? RX : TX;
    if (id == ID_TX_DATA) {
        if (!owned(card, TX, address, address + bytes))
            hm_fault(card, "RING-03", address, bytes, id, now, "transmit data read outside of the buffers that the NIC owns");
        return;
    }
    struct queue *q = ring_at(card, dir, address);
    if (!q || address - q->ring + bytes > (u64)q->size * DESC || address % DESC || bytes % DESC) {
        hm_fault(card, "RING-01", address, bytes, id, now, "descriptor read outside of an enabled ring, or not of whole descriptors");
        return;
    }
    u32 ahead = ((u32)((address - q->ring) / DESC) - q->done) & (q->size - 1);
    if (ahead + bytes / DESC > q->producer - q->done)
        hm_fault(card, "RING-02", address, bytes, id, now, "descriptors %u to %u are read, the producer is %u", q->done + ahead,
                 q->done + ahead + bytes / DESC - 1, q->producer);
    else if (ahead + bytes / DESC > q->fetched - q->done) q->fetched = q->done + ahead + bytes / DESC;
}

void rings_read_data(u32 card, u32 id, u64 address, const u8 *data, u32 bytes, u32 failed, u64 now) {
    u32 dir = id == ID_RX_DESC ? RX : TX;
    struct queue *q = id == ID_TX_DATA ? 0 : ring_at(card, dir, address);
    (void)now;
    if (!q || address - q->ring + bytes > (u64)q->size * DESC) return;
    if (failed && q->state == ON) q->state = FAILED;
    for (u32 i = 0; i < bytes / DESC; i++, data += DESC) {
        struct slot *s = &q->slots[(address - q->ring) / DESC + i];
        buffer_leave(s);
        memcpy(&s->address, data, 8);
        s->length = failed ? 0 : dir == TX ? data[8] | (u32)data[9] << 8 : q->page[NIC_QUEUE_BUF_SIZE / 4];
        buffer_enter(&all[card], dir, s);
    }
}

void rings_write_begin(u32 card, u32 id, u64 address, u32 bytes, u64 now) {
    u32 dir;
    if (id != ID_CPL) return; /* data: judged by its strobes, in rings_write_data */
    struct queue *q = completions_at(card, address, &dir);
    if (!q || bytes != CPL || address != q->cpl + (u64)(q->begun & (q->cpl_size - 1)) * CPL)
        hm_fault(card, "RING-05", address, bytes, id, now,
                 q ? "completion not at the next entry of %s queue's ring: that is %u" : "completion outside of every enabled ring",
                 dir == TX ? "a transmit" : "a receive", q ? q->next : 0);
    if (q) q->begun++;
}

/* Bytes may be in several descriptors at once (a buffer sent twice, neighbours in one bus word): then an outstanding burst on them tells
 * nothing about the one that is done. `done` to `to` of `q` are those that end now. */
static int wanted_by_another(u32 card, const struct queue *q, u32 dir, u32 to, const struct slot *s) {
    struct walk near = buffers_near(&all[card], dir, s->address, s->address + s->length);
    for (const struct slot *t; (t = buffers_next(&near));) {
        u64 first = t->address & ~7ull, end = (t->address + t->length + 7) & ~7ull;
        if (first < s->address + s->length && end > s->address && outstanding(t, t->of == q ? to : t->of->done)) return 1;
    }
    return 0;
}

static int data_outstanding(u32 card, const struct queue *q, u32 dir, u32 to, const struct slot *s) {
    return s->length && bus_overlaps(card, dir, dir == TX ? ID_TX_DATA : ID_RX_DATA, s->address, s->address + s->length) &&
           !wanted_by_another(card, q, dir, to, s);
}

static void data_answered(u32 card, const struct queue *q, u32 dir, u32 to, u64 now) {
    for (u32 i = q->done; i != to; i++) {
        const struct slot *s = &q->slots[i & (q->size - 1)];
        if (data_outstanding(card, q, dir, to, s))
            hm_fault(card, "RING-07", s->address, s->length, dir, now, "completion of descriptor %u before its data's response", i);
    }
}

void rings_write_data(u32 card, u32 id, u64 address, const u8 *data, const u8 *strobes, u32 bytes, u64 now) {
    u32 dir, first = 0, end = bytes, index;
    while (first < bytes && !strobes[first]) first++;
    while (end > first && !strobes[end - 1]) end--;
    if (id != ID_CPL) {
        if (first < end && !owned(card, RX, address + first, address + end))
            hm_fault(card, "RING-04", address + first, end - first, id, now, "receive data written outside of the buffers that the NIC owns");
        return;
    }
    struct queue *q = completions_at(card, address, &dir);
    if (!q || bytes != CPL) return;
    if (first || end != bytes) hm_fault(card, "RING-05", address, bytes, id, now, "completion written in parts");
    memcpy(&index, data, 4);
    u32 log2 = (u32)__builtin_ctz(q->cpl_size), phase = 1 ^ (q->next >> log2 & 1);
    if ((data[24] & 1u) != phase)
        hm_fault(card, "RING-06", address, bytes, id, now, "completion %u has the wrong phase", q->next);
    else if (index == q->done || index - q->done > q->fetched - q->done || (dir == RX && index != q->done + 1))
        hm_fault(card, "RING-06", address, bytes, id, now, "completion of index %u, done are %u, fetched %u", index, q->done, q->fetched);
    else {
        data_answered(card, q, dir, index, now);
        for (; q->done != index; q->done++) buffer_leave(&q->slots[q->done & (q->size - 1)]);
    }
    q->next++;
}

void rings_write_end(u32 card, u32 id, u64 address, u32 bytes, u32 failed, u64 now) {
    u32 dir;
    struct queue *q = id == ID_CPL ? completions_at(card, address, &dir) : 0;
    (void)bytes;
    if (!q) return;
    if (failed) {
        if (q->state == ON) q->state = FAILED;
    } else {
        if (q->visible++ == q->consumer) q->since = now;
        note(&all[card], q);
    }
}

/* When moderation lets an armed queue's message go, at the earliest: the NIC looks at its timers one after the other. */
static u64 expected(u32 card, const struct queue *q) {
    u32 count = q->page[NIC_QUEUE_MOD_COUNT / 4], ticks = q->page[NIC_QUEUE_MOD_TICKS / 4];
    if (q->state != ON || q->visible - q->consumer >= count) return 0;
    return ticks ? q->since + (u64)ticks * hm_shared.settings[card].period_fs[HM_SYS] / 1000 : HM_NEVER;
}

static int on_vector(const struct queue *q, u32 vector) { return q->state != OFF && q->page[NIC_QUEUE_VECTOR / 4] == vector; }

static int reports(const struct queue *q) { return q->armed == ARMED && (int32_t)(q->visible - q->consumer) > 0; }

/* May it explain a message, now or before the next change that notes it? */
static int matters(const struct queue *q, u64 now) {
    return q->late_until >= now || (q->state != OFF && (q->armed == UNSURE || reports(q)));
}

/* One message of a vector, whose queues it does not name. The one that is due has sent it. With several of them nobody knows which,
 * until they are re-armed: so many messages may come as there are queues that may not have sent theirs. */
static int explained(u32 card, u32 vector, u64 now) {
    struct rings *r = &all[card];
    struct queue *sender = 0;
    u64 soonest = HM_NEVER;
    u32 due = 0, unsure = 0;
    for (struct queue **link = &r->noted, *q; (q = *link);) {
        if (!matters(q, now)) {
            *link = q->next_noted;
            q->noted = 0;
            continue;
        }
        link = &q->next_noted;
        if (!on_vector(q, vector)) continue;
        unsure += q->armed == UNSURE;
        if (!reports(q)) continue;
        u64 when = expected(card, q);
        due += when <= now;
        if (!sender || when < soonest || (when == soonest && q < sender)) sender = q, soonest = when;
    }
    if (r->unsent[vector] > unsure) r->unsent[vector] = unsure;
    if (!r->unsent[vector] && due <= 1 && sender) {
        sender->armed = MASKED;
        return 1;
    }
    if (!(due + r->unsent[vector])) return 0;
    for (struct queue *q = r->noted; q; q = q->next_noted)
        if (on_vector(q, vector) && reports(q) && expected(card, q) <= now) q->armed = UNSURE;
    r->unsent[vector] += due - 1;
    return 1;
}

void rings_irq(u32 card, u32 vector, u64 now) {
    struct rings *r = &all[card];
    struct queue *late = 0;
    if (explained(card, vector, now)) return;
    for (struct queue *q = r->noted; q; q = q->next_noted)
        if (on_vector(q, vector) && q->late_until >= now && q > late) late = q;
    if (late) {
        late->late_until = 0;
        return;
    }
    if (!vector && (r->misc_enable || r->misc_until >= now)) {
        r->misc_until = 0;
        return;
    }
    char text[160] = "";
    for (u32 i = 0, n = 0; i < 2 * r->used && n < sizeof text - 60; i++) {
        const struct queue *q = &r->q[i / r->used][i % r->used];
        if (!on_vector(q, vector)) continue;
        n += (u32)snprintf(text + n, sizeof text - n, "; %s %u state %d visible %u consumer %u %s", i / r->used == TX ? "TX" : "RX",
                           i % r->used, (int)q->state, q->visible, q->consumer, q->armed == ARMED ? "armed" : q->armed ? "unsure" : "masked");
    }
    hm_fault(card, "RING-08", 0, 0, vector, now, "vector %u fires without cause%s", vector, text);
}

/* ---- reports ---- */
u32 hm_rings(u32 card, u32 *out, u32 most) {
    u32 rows = 0;
    for (u32 dir = 0; dir < 2; dir++)
        for (u32 i = 0; i < all[card].used; i++) {
            const struct queue *q = &all[card].q[dir][i];
            u32 row[12] = {dir, i, q->state, q->size, q->producer, q->fetched, q->done, q->cpl_size, q->next, q->visible,
                           q->consumer, q->armed};
            if ((q->state == OFF && !q->size) || rows == most) continue;
            memcpy(out + 12 * rows++, row, sizeof row);
        }
    return rows;
}
