#include "without.h"

#include <stdlib.h>
#include <string.h>

bool without_has_number(const struct sim_without *without, uint32_t number)
{
    return (without->first_of_rest != 0 && number >= without->first_of_rest) ||
           (number < SIM_FAULTS_NUMBERED && (without->numbers[number / 64] >> number % 64 & 1U) != 0);
}

void without_add_number(struct sim_without *without, uint32_t number)
{
    if (number < SIM_FAULTS_NUMBERED) {
        without->numbers[number / 64] |= UINT64_C(1) << number % 64;
    }
}

bool without_is_empty(const struct sim_without *without)
{
    uint64_t numbers = 0;
    for (uint32_t i = 0; i < SIM_FAULTS_NUMBERED / 64; i++) {
        numbers |= without->numbers[i];
    }
    return without->kinds == 0 && without->first_of_rest == 0 && numbers == 0;
}

/* ---- Parsing ---------------------------------------------------------------------------------------------------------- */

static bool parse_kind(const char *item, size_t length, struct sim_without *ret)
{
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        const char *name = sim_fault_kinds[kind].name;
        if (strlen(name) == length && memcmp(name, item, length) == 0) {
            ret->kinds |= UINT64_C(1) << kind;
            return true;
        }
    }
    return false;
}

/* A number from 1 to the last that can be withheld; *text moves behind it. */
static bool parse_number(const char **text, uint32_t *ret)
{
    uint32_t value = 0;
    const char *at = *text;
    while (*at >= '0' && *at <= '9' && value < SIM_FAULTS_NUMBERED) {
        value = value * 10 + (uint32_t)(*at++ - '0');
    }
    if (at == *text || value == 0 || value >= SIM_FAULTS_NUMBERED) {
        return false;
    }
    *text = at;
    *ret = value;
    return true;
}

static bool parse_range(const char *item, const char *end, struct sim_without *ret)
{
    uint32_t first = 0;
    if (!parse_number(&item, &first)) {
        return false;
    }
    uint32_t last = first;
    if (end - item == 2 && strncmp(item, "..", 2) == 0) {
        if (ret->first_of_rest == 0 || first < ret->first_of_rest) {
            ret->first_of_rest = first;
        }
        return true;
    }
    if (end - item > 2 && strncmp(item, "..", 2) == 0) {
        item += 2;
        if (!parse_number(&item, &last) || last < first) {
            return false;
        }
    }
    for (uint32_t number = first; item == end && number <= last; number++) {
        without_add_number(ret, number);
    }
    return item == end;
}

bool without_parse(const char *list, struct sim_without *ret)
{
    for (;;) {
        const char *end = list + strcspn(list, ",");
        if (!parse_kind(list, (size_t)(end - list), ret) && !parse_range(list, end, ret)) {
            return false;
        }
        if (*end == '\0') {
            return true;
        }
        list = end + 1;
    }
}

/* ---- Printing --------------------------------------------------------------------------------------------------------- */

void without_print(FILE *to, const struct sim_without *without)
{
    const char *comma = "";
    for (int kind = 0; kind < FAULT_KINDS; kind++) {
        if ((without->kinds >> kind & 1U) != 0) {
            fprintf(to, "%s%s", comma, sim_fault_kinds[kind].name);
            comma = ",";
        }
    }
    uint32_t end = without->first_of_rest != 0 && without->first_of_rest < SIM_FAULTS_NUMBERED ? without->first_of_rest
                                                                                               : SIM_FAULTS_NUMBERED;
    for (uint32_t first = 1; first < end; first++) {
        if (!without_has_number(without, first)) {
            continue;
        }
        uint32_t last = first;
        while (last + 1 < end && without_has_number(without, last + 1)) {
            last++;
        }
        if (last + 1 == without->first_of_rest) {
            end = first; /* the rest begins here */
            break;
        }
        fprintf(to, last > first ? "%s%u..%u" : "%s%u", comma, first, last);
        comma = ",";
        first = last;
    }
    if (without->first_of_rest != 0) {
        fprintf(to, "%s%u..", comma, end);
    }
}
