#include "disk/probe.h"

#include "block/endian.h"
#include "disk/message.h"
#include "disk/uuid.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SCAN_BYTES = 1 << 20 };

__attribute__((format(printf, 3, 4))) static void add_finding(struct probe *probe, const char *what,
                                                              const char *text_format, ...)
{
    for (uint32_t i = 0; i < probe->finding_count; i++) {
        if (strcmp(probe->findings[i].what, what) == 0) {
            return;
        }
    }
    if (probe->finding_count == PROBE_FINDINGS_MAX) {
        return;
    }
    struct probe_finding *finding = &probe->findings[probe->finding_count++];
    snprintf(finding->what, sizeof finding->what, "%s", what);
    va_list arguments;
    va_start(arguments, text_format);
    vsnprintf(finding->text, sizeof finding->text, text_format, arguments);
    va_end(arguments);
}

/* ---- A diskarch set ------------------------------------------------------------------------------------------------- */

/* Reads in a way that can be given up, before anything here reads in one that cannot: a disk that hangs is found now. */
static int find_set(const struct device *device, struct probe *probe, char *message, size_t message_bytes)
{
    int error = header_search(device, &probe->set, message, message_bytes);
    if (error != 0) {
        return error;
    }
    if (probe->set.read_error == -ETIMEDOUT) {
        return message_set(-ETIMEDOUT, message, message_bytes,
                           "it does not answer; look at its path and the kernel log");
    }
    const struct set_header *header = &probe->set.header;
    if (probe->set.fault == HEADER_OK) {
        char uuid[UUID_TEXT_BYTES];
        add_finding(probe, header->set_name, "diskarch set \"%s\" (%s)", header->set_name,
                    uuid_format(uuid, &header->set_uuid));
    } else if (probe->set.fault == HEADER_NEWER) {
        add_finding(probe, "", "a diskarch set of the newer format %u.%u", header->major, header->minor);
    }
    return 0;
}

/* ---- Cluster areas that libblkid does not know ----------------------------------------------------------------------- */

/* sbd begins its device with these bytes; sanlock begins each sector it owns with a little-endian magic number: lockspace
 * (delta leases), resource (paxos leases), and resource index. */
static void find_cluster_area(const uint8_t *first_sector, struct probe *probe)
{
    static const char sbd_magic[] = "SBD_SBD_";
    static const struct {
        uint32_t magic;
        const char *kind;
    } sanlock[] = {{0x12212010, "lockspace"}, {0x06152010, "resource leases"}, {0x01042018, "resource index"}};
    if (memcmp(first_sector, sbd_magic, sizeof sbd_magic - 1) == 0) {
        add_finding(probe, "sbd", "sbd device");
    }
    for (size_t i = 0; i < sizeof sanlock / sizeof sanlock[0]; i++) {
        if (le_load32(first_sector) == sanlock[i].magic) {
            add_finding(probe, "sanlock", "sanlock %s", sanlock[i].kind);
        }
    }
}

/* ---- What libblkid knows ---------------------------------------------------------------------------------------------- */

/* libblkid of this age cannot read through a descriptor with O_DIRECT, so it gets one of its own for the same file, with
 * what the page cache may hold of another host's past thrown away. */
static int open_buffered(const struct device *device, int flags)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", device->fd);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0) {
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    return fd;
}

/* Everything libblkid can find, a superblock with a wrong checksum included: it may be the user's only copy. */
static blkid_probe new_blkid_probe(int fd)
{
    blkid_probe blkid = blkid_new_probe();
    if (blkid == NULL) {
        return NULL;
    }
    if (blkid_probe_set_device(blkid, fd, 0, 0) != 0 || blkid_probe_enable_superblocks(blkid, 1) != 0 ||
        blkid_probe_set_superblocks_flags(blkid, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL | BLKID_SUBLKS_MAGIC |
                                                     BLKID_SUBLKS_BADCSUM) != 0 ||
        blkid_probe_enable_partitions(blkid, 1) != 0 ||
        blkid_probe_set_partitions_flags(blkid, BLKID_PARTS_MAGIC | BLKID_PARTS_FORCE_GPT) != 0) {
        blkid_free_probe(blkid);
        return NULL;
    }
    return blkid;
}

static void take_signature(blkid_probe blkid, struct probe *probe)
{
    const char *type = NULL;
    const char *label = NULL;
    probe->has_foreign_signature = true;
    if (blkid_probe_lookup_value(blkid, "TYPE", &type, NULL) == 0) {
        if (blkid_probe_lookup_value(blkid, "LABEL", &label, NULL) == 0) {
            add_finding(probe, type, "%s labelled \"%s\"", type, label);
        } else {
            add_finding(probe, type, "%s", type);
        }
    }
    if (blkid_probe_lookup_value(blkid, "PTTYPE", &type, NULL) == 0) {
        add_finding(probe, type, "%s partition table", type);
    }
}

static int find_signatures(const struct device *device, struct probe *probe)
{
    int fd = open_buffered(device, O_RDONLY);
    if (fd < 0) {
        return -errno;
    }
    blkid_probe blkid = new_blkid_probe(fd);
    int result = blkid == NULL ? -1 : 0;
    while (result == 0) {
        result = blkid_do_probe(blkid);
        if (result == 0) {
            take_signature(blkid, probe);
        }
    }
    blkid_free_probe(blkid);
    close(fd);
    return result < 0 ? -EIO : 0;
}

int probe_wipe_signatures(const struct device *device)
{
    int fd = open_buffered(device, O_RDWR);
    if (fd < 0) {
        return -errno;
    }
    blkid_probe blkid = new_blkid_probe(fd);
    int result = blkid == NULL ? -1 : 0;
    while (result == 0) {
        result = blkid_do_probe(blkid);
        if (result == 0 && blkid_do_wipe(blkid, 0) != 0) {
            result = -1;
        }
    }
    blkid_free_probe(blkid);
    if (result > 0 && fsync(fd) != 0) {
        result = -1;
    }
    close(fd);
    return result < 0 ? -EIO : 0;
}

/* ---- Data that nobody knows ------------------------------------------------------------------------------------------- */

static bool is_all_zero(const uint8_t *bytes, size_t count)
{
    return count == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
}

/* Looks for anything but zeros from `offset` to the end of the area. The device may end inside it, at any byte. */
static int find_data(const struct device *device, uint64_t offset, uint64_t area_bytes, uint8_t *buffer,
                     struct probe *probe)
{
    uint64_t end = area_bytes < device->size_bytes ? area_bytes : device->size_bytes;
    for (; offset < end; offset += SCAN_BYTES) {
        uint64_t left = end - offset;
        size_t count = left < SCAN_BYTES ? (size_t)left : SCAN_BYTES;
        size_t whole = (count + device->sector_bytes - 1) / device->sector_bytes * device->sector_bytes;
        memset(buffer, 0, whole);
        int error = device_read(device, buffer, whole, offset);
        if (error != 0 && (error != -ENODATA || whole == count)) {
            return error;
        }
        if (!is_all_zero(buffer, count)) {
            add_finding(probe, PROBE_UNKNOWN_DATA, "data of unknown kind near byte %llu", (unsigned long long)offset);
            return 0;
        }
    }
    return 0;
}

static int probe_with_buffer(const struct device *device, uint64_t area_bytes, uint8_t *buffer, struct probe *probe)
{
    memset(buffer, 0, device->sector_bytes);
    int error = device_read(device, buffer, device->sector_bytes, 0);
    if (error != 0 && error != -ENODATA) {
        return error;
    }
    find_cluster_area(buffer, probe);
    error = find_signatures(device, probe);
    /* A signature speaks for all that is there; a set only for its own rows, not for what may lie behind them. */
    bool is_only_set = probe->finding_count == 1 && probe->set.fault == HEADER_OK;
    if (error != 0 || (probe->finding_count > 0 && !is_only_set)) {
        return error;
    }
    uint64_t known_bytes = is_only_set ? layout_bytes(&probe->set.header.layout) : 0;
    known_bytes -= known_bytes % device->sector_bytes;
    return find_data(device, known_bytes, area_bytes, buffer, probe);
}

int probe_device(const struct device *device, uint64_t area_bytes, struct probe *ret, char *message,
                 size_t message_bytes)
{
    *ret = (struct probe){.set.fault = HEADER_NO_MAGIC};
    if (device->size_bytes == 0) {
        return 0;
    }
    int error = find_set(device, ret, message, message_bytes);
    if (error != 0 || ret->set.fault == HEADER_NEWER) {
        return error;
    }
    uint8_t *buffer = device_buffer_new(SCAN_BYTES);
    error = buffer == NULL ? -ENOMEM : probe_with_buffer(device, area_bytes, buffer, ret);
    free(buffer);
    return error == 0 ? 0
                      : message_set(error, message, message_bytes, "what it holds cannot be read: %s; %s",
                                    strerror(-error), device_remedy(error));
}
