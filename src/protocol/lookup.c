#include "protocol/lookup.h"

#include "block/name.h"
#include "protocol/state.h"

#include <assert.h>
#include <string.h>

void lookup_begin(struct lookup *lookup, const char *name)
{
    assert(name_check(name) == NAME_OK);
    memset(lookup, 0, sizeof *lookup);
    name_field_store((uint8_t *)lookup->name, name);
    lookup->hash = name_hash(name);
}

uint32_t lookup_register(const struct node *node, const struct lookup *lookup)
{
    uint32_t registers = node_layout(node)->registers;
    return (uint32_t)((lookup->hash % registers + lookup->probe) % registers);
}

uint32_t lookup_row(const struct node *node, const struct lookup *lookup)
{
    return layout_register_row(node_layout(node), lookup_register(node, lookup));
}

void lookup_skip_known(const struct node *node, struct lookup *lookup)
{
    while (lookup->probe + 1 < node_layout(node)->registers) {
        uint64_t known = register_row(node, lookup_row(node, lookup))->name_hash;
        if (known == 0 || known == lookup->hash) {
            return;
        }
        lookup->probe++;
    }
}

bool lookup_has_arrived(const struct node *node, const struct lookup *lookup)
{
    return register_row(node, lookup_row(node, lookup))->name_hash == lookup->hash;
}

enum lookup_finding lookup_judge(const struct lookup *lookup, const uint8_t *bytes, struct role_value *ret_value)
{
    if (!role_value_decode(bytes, ret_value)) {
        return LOOKUP_FOREIGN;
    }
    if (ret_value->kind == VALUE_UNNAMED) {
        return LOOKUP_UNNAMED;
    }
    return memcmp(ret_value->name, lookup->name, sizeof lookup->name) == 0 ? LOOKUP_FOUND : LOOKUP_OTHER;
}

void lookup_learn(struct node *node, const struct lookup *lookup, const struct role_value *value)
{
    assert(value->kind != VALUE_UNNAMED);
    register_row(node, lookup_row(node, lookup))->name_hash = name_hash(value->name);
}

bool lookup_step_over(const struct node *node, struct lookup *lookup)
{
    if (lookup->probe + 1 >= node_layout(node)->registers) {
        return false;
    }
    lookup->probe++;
    return true;
}
