#include "sim.h"

#include <string.h>

const struct sim_fault_kind sim_fault_kinds[FAULT_KINDS] = {
#define SIM_FAULT_ROW(kind, name, class, rule) {name, class, rule},
    SIM_FAULTS(SIM_FAULT_ROW)
#undef SIM_FAULT_ROW
};

_Static_assert(FAULT_KINDS <= 64, "kinds are bits of a 64-bit mask");

static bool fault_is_withheld(const struct sim_without *without, enum sim_fault kind, uint32_t ordinal)
{
    if ((without->kinds >> kind & 1U) != 0) {
        return true;
    }
    if (without->first_of_rest != 0 && ordinal >= without->first_of_rest) {
        return true;
    }
    return ordinal < SIM_FAULTS_NUMBERED && (without->numbers[ordinal / 64] >> ordinal % 64 & 1U) != 0;
}

bool sim_fault(struct sim *sim, enum sim_fault kind, uint32_t process, uint32_t disk)
{
    struct sim_fault_log *log = &sim->faults;
    uint32_t ordinal = ++log->count;
    if (fault_is_withheld(&sim->options.without, kind, ordinal)) {
        return false;
    }
    if (log->injected < SIM_FAULTS_NUMBERED) {
        log->records[log->injected] = (struct sim_fault_record){
            .ordinal = ordinal, .kind = kind, .at_ns = sim->now_ns, .process = process, .disk = disk};
    }
    log->injected++;
    sim->statistics.faults[kind]++;
    sim_trace(sim, "fault %u: %s", ordinal, sim_fault_kinds[kind].name);
    return true;
}
