/* SPDX-License-Identifier: Apache-2.0
 * A memo for C++'s dynamic_cast, preloaded into Icarus' vvp (LD_PRELOAD). vvp asks for the dynamic type of a net at every read of
 * a variable; on nic_1g two thirds of all its instructions went into that walk over type names, and with the memo it runs 2.1 to
 * 2.3 times as fast. The answer depends only on the object's vtable and the two static types, so it is kept in a table; a miss asks
 * the C++ library. Each thread has a table of its own.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

typedef void *(*cast_function)(const void *object, const void *source, const void *target, ptrdiff_t hint);

enum { SLOTS = 1 << 12 };
static const ptrdiff_t FAILS = PTRDIFF_MIN;
struct slot { const void *vtable, *source, *target; ptrdiff_t offset; };
static __thread struct slot memo[SLOTS] __attribute__((aligned(64)));

/* Out of line, so that a hit saves no register. */
static __attribute__((noinline, cold)) void *
ask(struct slot *slot, const void *object, const void *source, const void *target, ptrdiff_t hint)
{
    static cast_function real;
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "__dynamic_cast");
    char *result = real(object, source, target, hint);
    *slot = (struct slot){*(const void *const *)object, source, target, result ? result - (const char *)object : FAILS};
    return result;
}

void *__dynamic_cast(const void *object, const void *source, const void *target, ptrdiff_t hint)
{
    const void *vtable = *(const void *const *)object;
    uintptr_t key = ((uintptr_t)vtable >> 3) + ((uintptr_t)target >> 1) + (uintptr_t)source;
    struct slot *slot = &memo[key / 8 % SLOTS];
    if (__builtin_expect(slot->vtable != vtable || slot->source != source || slot->target != target, 0))
        return ask(slot, object, source, target, hint);
    return slot->offset == FAILS ? NULL : (char *)(uintptr_t)object + slot->offset;
}
