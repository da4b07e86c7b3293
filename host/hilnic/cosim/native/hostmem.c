/* SPDX-License-Identifier: Apache-2.0
 * Host memory and events: where the arrays are, who breached what, what Python has to hear and when. */
#include "hostmem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HEAP = 1 << 16 };

struct hm_shared hm_shared;
struct hm_memory hm_memory[HM_CARDS];
struct hm_event hm_drained[2 * HEAP]; /* what the last hm_drain took, in order of due time */

static struct hm_event heap[HEAP], lazy[HEAP]; /* those with a due time; those that wait for any wake-up */
static u32 heap_count, lazy_count;
static u64 heap_order;

/* splitmix64 */
u64 hm_random(u64 *state) {
    u64 z = (*state += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

u64 hm_jitter(const struct hm_settings *s, u64 nominal, u64 *state) {
    u64 span = nominal / 100 * s->jitter_percent;
    return span ? nominal + hm_random(state) % (span + 1) : nominal;
}

void hm_reset_card(u32 card) {
    bus_reset(card);
    csr_reset(card);
    wire_reset(card);
    rings_reset(card);
}

void hm_reset_all(void) {
    memset(&hm_shared, 0, sizeof hm_shared);
    memset(hm_memory, 0, sizeof hm_memory);
    hm_shared.timer_ps = HM_NEVER;
    heap_count = lazy_count = 0;
    heap_order = 0;
    for (u32 card = 0; card < HM_CARDS; card++) {
        struct hm_settings *s = &hm_shared.settings[card];
        s->bandwidth_percent = 100;
        s->run[HM_SYS] = 1; /* a reload that is under way must not stop card 0's system clock */
        for (u32 i = 0; i < HM_CLOCKS; i++) s->period_fs[i] = 8000000;
        hm_reset_card(card);
    }
}

void hm_attach(u32 card, u64 base, u64 size, u64 host, u64 device, u64 readable, u64 writable) {
    hm_memory[card] = (struct hm_memory){base, size, (u8 *)(uintptr_t)host, (u8 *)(uintptr_t)device,
                                         (u8 *)(uintptr_t)readable, (u8 *)(uintptr_t)writable};
}

/* Keep the first breach, count the others, and wake Python, which ends the test. */
void hm_fault(u32 card, const char *rule, u64 address, u64 length, u64 id, u64 now, const char *format, ...) {
    struct hm_breach *b = &hm_shared.breach;
    if (b->count++) {
        if (now == b->time_ps && strlen(b->also) + strlen(rule) + 2 < sizeof b->also) strcat(strcat(b->also, " "), rule);
        return;
    }
    b->also[0] = 0;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->message, sizeof b->message, format, arguments);
    va_end(arguments);
    snprintf(b->rule, sizeof b->rule, "%s", rule);
    b->time_ps = now;
    b->card = card;
    b->address = address;
    b->length = length;
    b->id = id;
    hm_shared.timer_ps = 0;
}

void hm_breach_at(u64 card, const char *rule, const char *message, u64 now) {
    hm_fault((u32)card, rule, 0, 0, 0, now, "%s", message);
}

static int before(const struct hm_event *x, const struct hm_event *y) {
    return x->due_ps != y->due_ps ? x->due_ps < y->due_ps : x->order < y->order;
}

/* An event for Python at `due`; HM_NEVER: whenever Python wakes for something else. */
void hm_post(u32 card, u32 kind, u64 time, u64 due, u64 a, u64 b) {
    struct hm_event event = {time, due, kind, card, a, b, heap_order++};
    if (due == HM_NEVER) {
        lazy[lazy_count++] = event;
        if (lazy_count == HEAP) hm_shared.timer_ps = lazy_count = 0;
        else if (lazy_count > HEAP / 2) hm_shared.timer_ps = 0;
        return;
    }
    if (heap_count == HEAP) {
        hm_fault(card, "HARNESS-01", 0, 0, 0, time, "Python does not take its events: %u wait", heap_count);
        return;
    }
    u32 i = heap_count++;
    for (; i && before(&event, &heap[(i - 1) / 2]); i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = event;
}

static struct hm_event pop(void) {
    struct hm_event first = heap[0], last = heap[--heap_count];
    u32 i = 0, child;
    for (; (child = 2 * i + 1) < heap_count; i = child) {
        if (child + 1 < heap_count && before(&heap[child + 1], &heap[child])) child++;
        if (!before(&heap[child], &last)) break;
        heap[i] = heap[child];
    }
    heap[i] = last;
    return first;
}

u32 hm_drain(u64 now) {
    u32 count = lazy_count;
    memcpy(hm_drained, lazy, lazy_count * sizeof *lazy);
    lazy_count = 0;
    while (heap_count && heap[0].due_ps <= now) hm_drained[count++] = pop();
    hm_shared.wake_pending = 0;
    hm_shared.events += count;
    return count;
}

int hm_wake_due(u64 now) {
    if (hm_shared.wake_pending) return 0;
    if (hm_shared.timer_ps > now && !(heap_count && heap[0].due_ps <= now)) return 0;
    hm_shared.wake_pending = 1;
    hm_shared.wakes++;
    return 1;
}

u64 hm_cycle(u64 card, u64 now) {
    struct hm_settings *s = &hm_shared.settings[card];
    u32 control = s->wire_mode * HM_CTL_WIRE;
    hm_shared.statistics[card].cycles++;
    if (s->reset_n) control |= HM_CTL_RESET_N | bus_step((u32)card, now) | csr_step((u32)card, now);
    if (s->link_up) control |= HM_CTL_LINK;
    if (s->reload) {
        s->reload = 0;
        control |= HM_CTL_RELOAD;
    }
    control |= wire_step((u32)card, now);
    if (card == 0 && hm_wake_due(now)) control |= HM_CTL_WAKE;
    return control;
}

u64 hm_clock(u64 card, u64 index, u64 now) {
    const struct hm_settings *s = &hm_shared.settings[card];
    (void)now;
    return (u64)(s->run[index] & 1) << 63 | (u64)(s->phase_ps[index] & 0x7FFFFFFF) << 32 | s->period_fs[index];
}

u64 hm_irq(u64 card, u64 vector, u64 now) {
    hm_shared.statistics[card].interrupts++;
    hm_shared.statistics[card].progress++;
    rings_irq((u32)card, (u32)vector, now);
    hm_post((u32)card, HM_EVENT_IRQ, now, now + hm_shared.settings[card].irq_ps, vector, 0);
    return 0;
}
