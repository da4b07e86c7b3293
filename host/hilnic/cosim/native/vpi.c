/* SPDX-License-Identifier: Apache-2.0
 * The VPI front end for Icarus: every function of SIM_FUNCTIONS as `$hm_name`, with the handles of its arguments looked up once
 * per call site, the simulation time (1 ps) as its last argument and a 64-bit result. Also `$hm_breach(card, rule, message)`. */
#include "hostmem.h"
#include <stdlib.h>
#include <vpi_user.h>

enum { MOST = 4 };
struct function { const char *name; u64 (*call)(const u64 *arguments); u32 count; };
struct site { const struct function *function; vpiHandle self, argument[MOST]; u64 mask[MOST]; };

#define CALL1(f) f(a[0], a[1])
#define CALL2(f) f(a[0], a[1], a[2])
#define CALL3(f) f(a[0], a[1], a[2], a[3])
#define CALL4(f) f(a[0], a[1], a[2], a[3], a[4])
#define ADAPTER(f, n) static u64 call_##f(const u64 *a) { return CALL##n(f); }
SIM_FUNCTIONS(ADAPTER)
#define ENTRY(f, n) {"$" #f, call_##f, n},
static const struct function functions[] = {SIM_FUNCTIONS(ENTRY)};

static u64 now(void) {
    s_vpi_time time = {.type = vpiSimTime};
    vpi_get_time(NULL, &time);
    return (u64)time.high << 32 | time.low;
}

static PLI_INT32 width(PLI_BYTE8 *data) {
    (void)data;
    return 64;
}

static struct site *site_of(vpiHandle self, const struct function *function) {
    struct site *site = vpi_get_userdata(self);
    if (site) return site;
    site = calloc(1, sizeof *site);
    site->function = function;
    site->self = self;
    vpiHandle iterator = vpi_iterate(vpiArgument, self);
    for (u32 i = 0; iterator && i < MOST; i++) {
        site->argument[i] = vpi_scan(iterator);
        if (!site->argument[i]) {
            iterator = NULL;
            break;
        }
        int bits = vpi_get(vpiSize, site->argument[i]);
        site->mask[i] = bits < 64 ? ((u64)1 << bits) - 1 : ~(u64)0;
    }
    if (iterator) vpi_free_object(iterator);
    vpi_put_userdata(self, site);
    return site;
}

static PLI_INT32 call(PLI_BYTE8 *data) {
    struct site *site = site_of(vpi_handle(vpiSysTfCall, NULL), (const struct function *)data);
    u64 a[MOST + 1];
    s_vpi_value value = {.format = vpiVectorVal};
    for (u32 i = 0; i < site->function->count; i++) {
        value.format = vpiVectorVal;
        vpi_get_value(site->argument[i], &value);
        a[i] = (u32)value.value.vector[0].aval;
        if (site->mask[i] >> 32) a[i] |= (u64)(u32)value.value.vector[1].aval << 32;
        a[i] &= site->mask[i]; /* vvp leaves more in the word than the argument has bits */
    }
    a[site->function->count] = now();
    u64 result = site->function->call(a);
    s_vpi_vecval vector[2] = {{(PLI_INT32)(u32)result, 0}, {(PLI_INT32)(result >> 32), 0}};
    value.format = vpiVectorVal;
    value.value.vector = vector;
    vpi_put_value(site->self, &value, NULL, vpiNoDelay);
    return 0;
}

static PLI_INT32 breach(PLI_BYTE8 *data) {
    vpiHandle iterator = vpi_iterate(vpiArgument, vpi_handle(vpiSysTfCall, NULL));
    s_vpi_value card = {.format = vpiIntVal}, text = {.format = vpiStringVal};
    char rule[64];
    (void)data;
    vpi_get_value(vpi_scan(iterator), &card);
    vpi_get_value(vpi_scan(iterator), &text);
    u32 i = 0;
    for (; i < sizeof rule - 1 && text.value.str[i]; i++) rule[i] = text.value.str[i];
    rule[i] = 0;
    text.format = vpiStringVal;
    vpi_get_value(vpi_scan(iterator), &text);
    hm_breach_at((u64)card.value.integer, rule, text.value.str, now());
    vpi_free_object(iterator);
    return 0;
}

static void register_all(void) {
    for (u32 i = 0; i < sizeof functions / sizeof *functions; i++) {
        s_vpi_systf_data systf = {.type = vpiSysFunc, .sysfunctype = vpiSizedFunc, .tfname = (PLI_BYTE8 *)functions[i].name,
                                  .calltf = call, .sizetf = width, .user_data = (PLI_BYTE8 *)&functions[i]};
        vpi_register_systf(&systf);
    }
    s_vpi_systf_data systf = {.type = vpiSysTask, .tfname = (PLI_BYTE8 *)"$hm_breach", .calltf = breach};
    vpi_register_systf(&systf);
}

void (*vlog_startup_routines[])(void) = {register_all, 0};
