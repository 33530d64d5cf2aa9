/* The commands of a story: a table, one function each. */
#include "block/limits.h"
#include "story.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool story_complain(struct story *story, const char *format, ...)
{
    char what[300];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    text_clear(&story->complaint);
    text_add(&story->complaint, "%s", what);
    return false;
}

/* ---- Words ------------------------------------------------------------------------------------------------------------ */

static bool parse_number(const char *word, uint64_t most, uint64_t *ret)
{
    char *end = NULL;
    unsigned long long value = strtoull(word, &end, 10);
    if (end == word || *end != '\0' || *word == '-' || value > most) {
        return false;
    }
    *ret = value;
    return true;
}

static bool parse_duration(const char *word, int64_t *ret_ns)
{
    char *end = NULL;
    long long value = strtoll(word, &end, 10);
    int64_t unit_ns = strcmp(end, "s") == 0 ? NS_PER_S : strcmp(end, "ms") == 0 ? NS_PER_MS : 0;
    if (end == word || value > 100000000 || value < -100000000 || unit_ns == 0) {
        return false;
    }
    *ret_ns = value * unit_ns;
    return true;
}

static bool take_duration(struct story *story, const char *word, int64_t *ret_ns)
{
    return parse_duration(word, ret_ns) || story_complain(story, "'%s' is no duration, such as 20ms or 3s", word);
}

static bool take_process(struct story *story, const char *word, uint32_t *ret)
{
    for (uint32_t i = 0; i < SIM_PROCESSES_MAX; i++) {
        if (strcmp(word, sim_process_name(i)) == 0) {
            *ret = i;
            return true;
        }
    }
    return story_complain(story, "'%s' is no node: alpha, beta, gamma, delta, epsilon", word);
}

/* One that can be commanded: it runs, and is not stopped. */
static bool take_awake(struct story *story, const char *word, uint32_t *ret)
{
    if (!take_process(story, word, ret)) {
        return false;
    }
    const struct sim_process *process = &story->sim->processes[*ret];
    if (!story_runs(story, *ret)) {
        return story_complain(story, "%s does not run", word);
    }
    if (story->sim->now_ns < process->paused_until_ns) {
        return story_complain(story, "%s is stopped", word);
    }
    return true;
}

/* With `is_new`, a name that was never used takes the next number. */
static bool take_role(struct story *story, const char *word, bool is_new, uint32_t *ret)
{
    for (uint32_t i = 0; i < story->role_count; i++) {
        if (strcmp(word, story->roles[i]) == 0) {
            *ret = i;
            return true;
        }
    }
    if (!is_new || story->role_count == SIM_ROLES_MAX || strlen(word) >= NAME_FIELD_BYTES) {
        return story_complain(story, "'%s' is no role of this story, which may have %d", word, SIM_ROLES_MAX);
    }
    *ret = story->role_count++;
    memcpy(story->roles[*ret], word, strlen(word) + 1);
    return true;
}

static void join_words(char *words[], uint32_t count, char *ret, size_t room)
{
    size_t length = 0;
    ret[0] = '\0';
    for (uint32_t i = 0; i < count && length < room; i++) {
        length += (size_t)snprintf(ret + length, room - length, "%s%s", i > 0 ? " " : "", words[i]);
    }
}

/* ---- The world -------------------------------------------------------------------------------------------------------- */

static bool take_setting(struct story *story, struct story_world *world, char *word)
{
    char *value = strchr(word, '=');
    if (value == NULL) {
        return story_complain(story, "'%s' is no setting, such as disks=3", word);
    }
    *value++ = '\0';
    const struct {
        const char *name;
        uint32_t *number;
        uint64_t most;
    } numbers[] = {{"disks", &world->disks, SIM_DISKS_MAX},
                   {"slots", &world->slots, SIM_SLOTS_MAX},
                   {"registers", &world->registers, SIM_REGISTERS_MAX},
                   {"drift_ppm", &world->timings.drift_ppm, 150000}};
    const struct {
        const char *name;
        int64_t *duration_ns;
    } durations[] = {{"lease", &world->timings.lease_ns},
                     {"renew", &world->timings.renew_ns},
                     {"deadline", &world->timings.io_deadline_ns},
                     {"quarantine", &world->timings.quarantine_ns},
                     {"latency", &world->latency_ns}};
    uint64_t number = 0;
    if (strcmp(word, "seed") == 0) {
        return parse_number(value, UINT64_MAX, &world->seed) || story_complain(story, "'%s' is no number", value);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(word, numbers[i].name) == 0) {
            if (!parse_number(value, numbers[i].most, &number) || number == 0) {
                return story_complain(story, "%s is at most %llu", word, (unsigned long long)numbers[i].most);
            }
            *numbers[i].number = (uint32_t)number;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        if (strcmp(word, durations[i].name) == 0) {
            return take_duration(story, value, durations[i].duration_ns);
        }
    }
    return story_complain(story, "'%s' is no setting of a world", word);
}

static bool command_world(struct story *story, char *words[], uint32_t count)
{
    struct story_world world = {
        .disks = 3,
        .slots = 4,
        .registers = 4,
        .timings = {.lease_ns = 10 * NS_PER_S,
                    .renew_ns = NS_PER_S,
                    .io_deadline_ns = NS_PER_S / 2,
                    .quarantine_ns = 60 * NS_PER_S,
                    .drift_ppm = 5000},
        .latency_ns = NS_PER_MS,
        .seed = 1,
    };
    for (uint32_t i = 0; i < count; i++) {
        if (!take_setting(story, &world, words[i])) {
            return false;
        }
    }
    story_begin(story, &world);
    return true;
}

static bool command_outside(struct story *story, char *words[], uint32_t count)
{
    char why[200];
    join_words(words, count, why, sizeof why);
    text_clear(&story->outside);
    text_add(&story->outside, "%s", why);
    return true;
}

/* ---- Processes -------------------------------------------------------------------------------------------------------- */

static bool command_start(struct story *story, char *words[], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = 0;
        if (!take_process(story, words[i], &index)) {
            return false;
        }
        if (story_runs(story, index)) {
            return story_complain(story, "%s runs", words[i]);
        }
        story_start(story, index);
    }
    return true;
}

static bool command_kill(struct story *story, char *words[], uint32_t count)
{
    uint32_t index = 0;
    (void)count;
    if (!take_process(story, words[0], &index)) {
        return false;
    }
    if (!story->sim->processes[index].is_alive) {
        return story_complain(story, "%s does not run", words[0]);
    }
    story_tell(story, words[0], "is killed");
    sim_process_kill(story->sim, index);
    return true;
}

static bool command_pause(struct story *story, char *words[], uint32_t count)
{
    uint32_t index = 0;
    int64_t for_ns = 0;
    (void)count;
    if (!take_awake(story, words[0], &index) || !take_duration(story, words[1], &for_ns)) {
        return false;
    }
    story_tell(story, words[0], "is stopped for %lld ms", (long long)(for_ns / NS_PER_MS));
    story->sim->processes[index].paused_until_ns = story->sim->now_ns + for_ns;
    return true;
}

static bool command_freeze(struct story *story, char *words[], uint32_t count)
{
    uint32_t index = 0;
    int64_t for_ns = 0;
    (void)count;
    if (!take_awake(story, words[0], &index) || !take_duration(story, words[1], &for_ns)) {
        return false;
    }
    story_tell(story, words[0], "is frozen for %lld ms with all of its clocks", (long long)(for_ns / NS_PER_MS));
    story_freeze(story, index, for_ns);
    return true;
}

static bool command_wall(struct story *story, char *words[], uint32_t count)
{
    uint32_t index = 0;
    int64_t jump_ns = 0;
    (void)count;
    if (!take_process(story, words[0], &index) || !take_duration(story, words[1], &jump_ns)) {
        return false;
    }
    story_tell(story, words[0], "its wall clock jumps by %lld s", (long long)(jump_ns / NS_PER_S));
    story->sim->processes[index].wall_ahead_ns += jump_ns;
    return true;
}

/* ---- Roles ------------------------------------------------------------------------------------------------------------ */

static bool command_campaign(struct story *story, char *words[], uint32_t count)
{
    uint32_t index = 0;
    uint32_t role = 0;
    bool is_try = count == 3 && strcmp(words[2], "try") == 0;
    if (count == 3 && !is_try) {
        return story_complain(story, "'%s' is not 'try'", words[2]);
    }
    if (!take_awake(story, words[0], &index) || !take_role(story, words[1], true, &role)) {
        return false;
    }
    struct sim_process *process = &story->sim->processes[index];
    if (process->is_role_used[role]) {
        return story_complain(story, "%s has not let go of %s yet", words[0], words[1]);
    }
    story_tell(story, words[0], "campaigns for %s", words[1]);
    process->is_role_used[role] = true;
    owner_campaign(process->turn, &(struct role_command){.role = role, .name = words[1], .is_try = is_try});
    sim_process_wake(story->sim, index, story->sim->now_ns);
    return true;
}

/* A process that may be commanded, and a role that its client has campaigned for and not let go of. */
static struct sim_process *take_campaign(struct story *story, char *words[], uint32_t *ret_role)
{
    uint32_t index = 0;
    if (!take_awake(story, words[0], &index) || !take_role(story, words[1], false, ret_role)) {
        return NULL;
    }
    struct sim_process *process = &story->sim->processes[index];
    if (!process->is_role_used[*ret_role] || process->is_resigning[*ret_role]) {
        story_complain(story, "%s has nothing to do with %s", words[0], words[1]);
        return NULL;
    }
    sim_process_wake(story->sim, index, story->sim->now_ns);
    return process;
}

static bool command_resign(struct story *story, char *words[], uint32_t count)
{
    uint32_t role = 0;
    (void)count;
    struct sim_process *process = take_campaign(story, words, &role);
    if (process == NULL) {
        return false;
    }
    story_tell(story, words[0], "wants nothing of %s any more", words[1]);
    process->is_resigning[role] = true;
    process->last_epoch[role] = 0;
    owner_resign(process->turn, role);
    return true;
}

static bool command_transfer(struct story *story, char *words[], uint32_t count)
{
    uint32_t role = 0;
    (void)count;
    struct sim_process *process = take_campaign(story, words, &role);
    if (process == NULL) {
        return false;
    }
    if (process->is_transferring[role]) {
        return story_complain(story, "%s is handing %s over already", words[0], words[1]);
    }
    process->is_transferring[role] = true;
    owner_transfer(process->turn, role, words[2]);
    return true;
}

static bool command_publish(struct story *story, char *words[], uint32_t count)
{
    uint32_t role = 0;
    char payload[PAYLOAD_BYTES_MAX];
    join_words(words + 2, count - 2, payload, sizeof payload);
    struct sim_process *process = take_campaign(story, words, &role);
    if (process == NULL) {
        return false;
    }
    owner_publish(process->turn, role, payload, (uint32_t)strlen(payload));
    return true;
}

static bool command_leave(struct story *story, char *words[], uint32_t count)
{
    uint32_t index = 0;
    (void)count;
    if (!take_awake(story, words[0], &index)) {
        return false;
    }
    struct sim_process *process = &story->sim->processes[index];
    if (process->is_leaving) {
        return story_complain(story, "%s is leaving already", words[0]);
    }
    process->is_leaving = true;
    owner_leave(process->turn);
    sim_process_wake(story->sim, index, story->sim->now_ns);
    return true;
}

/* ---- Disks ------------------------------------------------------------------------------------------------------------ */

/* [writes] [heartbeats|registers] */
static bool take_path_words(struct story *story, char *words[], uint32_t count, struct story_path *path)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(words[i], "writes") == 0) {
            path->is_writes_only = true;
        } else if (strcmp(words[i], "heartbeats") == 0) {
            path->rows = PATH_HEARTBEATS;
        } else if (strcmp(words[i], "registers") == 0) {
            path->rows = PATH_REGISTERS;
        } else {
            return story_complain(story, "'%s' is none of: writes, heartbeats, registers", words[i]);
        }
    }
    return true;
}

/* ["disk" NUMBER]... [which requests] */
static bool set_paths(struct story *story, uint32_t process, char *words[], uint32_t count, enum path_state state)
{
    bool is_disk[SIM_DISKS_MAX] = {false};
    struct story_path path = {.state = state};
    uint32_t at = 0;
    uint64_t disk = 0;
    if (count < 2 || strncmp(words[0], "disk", 4) != 0 || !parse_number(words[1], story->sim->disk_count - 1, &disk)) {
        return story_complain(story, "which disk? 'disk 1' or 'disks 1 2', from 0 to %u", story->sim->disk_count - 1);
    }
    for (at = 1; at < count && parse_number(words[at], story->sim->disk_count - 1, &disk); at++) {
        is_disk[disk] = true;
    }
    if (!take_path_words(story, words + at, count - at, &path)) {
        return false;
    }
    for (uint32_t i = 0; i < story->sim->disk_count; i++) {
        if (is_disk[i]) {
            story_set_path(story, process, i, path);
        }
    }
    return true;
}

static bool set_paths_of(struct story *story, char *words[], uint32_t count, enum path_state state)
{
    uint32_t process = 0;
    return take_process(story, words[0], &process) && set_paths(story, process, words + 1, count - 1, state);
}

static bool command_hold(struct story *story, char *words[], uint32_t count)
{
    return set_paths_of(story, words, count, PATH_HELD);
}

static bool command_cut(struct story *story, char *words[], uint32_t count)
{
    return set_paths_of(story, words, count, PATH_CUT);
}

static bool command_release(struct story *story, char *words[], uint32_t count)
{
    return set_paths_of(story, words, count, PATH_OPEN);
}

static bool command_hang(struct story *story, char *words[], uint32_t count)
{
    return set_paths(story, STORY_EVERYBODY, words, count, PATH_HELD);
}

static bool command_fail(struct story *story, char *words[], uint32_t count)
{
    return set_paths(story, STORY_EVERYBODY, words, count, PATH_CUT);
}

static bool command_heal(struct story *story, char *words[], uint32_t count)
{
    return set_paths(story, STORY_EVERYBODY, words, count, PATH_OPEN);
}

static bool command_latency(struct story *story, char *words[], uint32_t count)
{
    uint64_t disk = 0;
    (void)count;
    if (strcmp(words[0], "disk") != 0 || !parse_number(words[1], story->sim->disk_count - 1, &disk)) {
        return story_complain(story, "which disk? 'latency disk 1 20ms'");
    }
    return take_duration(story, words[2], &story->sim->disks[disk].latency_ns);
}

/* ---- Time, and what is told --------------------------------------------------------------------------------------------- */

static bool command_run(struct story *story, char *words[], uint32_t count)
{
    char until[200];
    int64_t for_ns = 0;
    if (strcmp(words[0], "until") == 0 && count > 1) {
        join_words(words + 1, count - 1, until, sizeof until);
        return story_run(story, 0, until) || story->is_objected ||
               story_complain(story, "that never happened: %s", until);
    }
    if (!take_duration(story, words[0], &for_ns)) {
        return false;
    }
    story_run(story, for_ns, NULL);
    return true;
}

static bool command_tell(struct story *story, char *words[], uint32_t count)
{
    bool is_no = strcmp(words[0], "no") == 0;
    const char *topic = words[count - 1];
    if (count != (is_no ? 2U : 1U)) {
        return story_complain(story, "usage: tell [no] heartbeats|joining");
    }
    if (strcmp(topic, "heartbeats") == 0) {
        story->is_telling_heartbeats = !is_no;
    } else if (strcmp(topic, "joining") == 0) {
        story->is_telling_joining = !is_no;
    } else {
        return story_complain(story, "'%s' is neither heartbeats nor joining", topic);
    }
    return true;
}

static bool command_show(struct story *story, char *words[], uint32_t count)
{
    uint32_t role = 0;
    if (count == 1 && strcmp(words[0], "heartbeats") == 0) {
        story_show_heartbeats(story);
        return true;
    }
    if (count != 2 || strcmp(words[0], "row") != 0 || !take_role(story, words[1], false, &role)) {
        return story_complain(story, "'show heartbeats' or 'show row ROLE'");
    }
    for (uint32_t row = 0; row < SIM_ROWS_MAX; row++) {
        if (story->row_role[row] == role + 1) {
            story_show_row(story, row);
            return true;
        }
    }
    return story_complain(story, "nobody has looked for %s yet", words[1]);
}

static const struct {
    const char *name;
    bool (*carry_out)(struct story *story, char *words[], uint32_t count);
    uint32_t least, most;
    const char *usage;
} commands[] = {
    {"world", command_world, 0, STORY_WORDS_MAX, "[disks=3] [slots=4] [lease=10s] [renew=1s] ..."},
    {"outside", command_outside, 1, STORY_WORDS_MAX, "WHICH ASSUMPTION IS BROKEN"},
    {"start", command_start, 1, SIM_PROCESSES_MAX, "NODE..."},
    {"kill", command_kill, 1, 1, "NODE"},
    {"pause", command_pause, 2, 2, "NODE DURATION"},
    {"freeze", command_freeze, 2, 2, "NODE DURATION"},
    {"wall", command_wall, 2, 2, "NODE DURATION"},
    {"campaign", command_campaign, 2, 3, "NODE ROLE [try]"},
    {"resign", command_resign, 2, 2, "NODE ROLE"},
    {"transfer", command_transfer, 3, 3, "NODE ROLE SUCCESSOR"},
    {"publish", command_publish, 3, STORY_WORDS_MAX, "NODE ROLE TEXT"},
    {"leave", command_leave, 1, 1, "NODE"},
    {"hold", command_hold, 3, STORY_WORDS_MAX, "NODE disk NUMBER... [writes] [heartbeats|registers]"},
    {"cut", command_cut, 3, STORY_WORDS_MAX, "NODE disk NUMBER... [writes] [heartbeats|registers]"},
    {"release", command_release, 3, STORY_WORDS_MAX, "NODE disk NUMBER..."},
    {"hang", command_hang, 2, STORY_WORDS_MAX, "disk NUMBER..."},
    {"fail", command_fail, 2, STORY_WORDS_MAX, "disk NUMBER..."},
    {"heal", command_heal, 2, STORY_WORDS_MAX, "disk NUMBER..."},
    {"latency", command_latency, 3, 3, "disk NUMBER DURATION"},
    {"run", command_run, 1, STORY_WORDS_MAX, "DURATION | until PART OF A LINE"},
    {"tell", command_tell, 1, 2, "[no] heartbeats|joining"},
    {"show", command_show, 1, 2, "heartbeats | row ROLE"},
};

bool story_command(struct story *story, char *words[], uint32_t count)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(words[0], commands[i].name) != 0) {
            continue;
        }
        if (count - 1 < commands[i].least || count - 1 > commands[i].most) {
            return story_complain(story, "usage: %s %s", commands[i].name, commands[i].usage);
        }
        if (!story->has_world == (i > 0)) {
            return story_complain(story, "a story begins with one 'world'");
        }
        return commands[i].carry_out(story, words + 1, count - 1);
    }
    return story_complain(story, "'%s' is no command", words[0]);
}
