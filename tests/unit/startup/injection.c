#include "injection.h"

#include <stdlib.h>
#include <sys/mman.h>

struct injection *injection;

#define CALL_ROW(id, text, call, ...) [CALL_##id] = {.name = (text), .number = (call), .errors = {__VA_ARGS__}},
const struct call_kind call_kinds[CALL_COUNT] = {CALLS(CALL_ROW)};
#undef CALL_ROW

struct injection *injection_map(void)
{
    void *page = mmap(NULL, sizeof(struct injection), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return page == MAP_FAILED ? NULL : page;
}

bool injection_strikes(struct injection *page, enum call call)
{
    if (page == NULL || !atomic_load(&page->is_armed) || atomic_load(&page->foreign_depth) > 0) {
        return false;
    }
    uint32_t count = atomic_fetch_add(&page->counts[call], 1) + 1;
    bool is_hit =
        call == page->call && page->nth != 0 && (count == page->nth || (count > page->nth && page->is_lasting));
    if (is_hit) {
        atomic_fetch_add(&page->injected, 1);
    }
    return is_hit;
}
