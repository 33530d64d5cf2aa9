# Sourced by the tests with real processes. It knows how to start processes, to wait for conditions, to make disk sets on
# files and on loop devices, and to take all of it away again. It must never know what a test is about.
#
# A test waits for conditions, with deadlines that only end what hangs. It never sleeps until something is probably so.
#
# Environment, set by CMake: DISKARCH is the tool; DISKARCH_ENGINE, which it heeds too, is the disk engine that
# must run, if set.
# DISKARCH_TEST_LONG=1 asks for the long form of a test.
set -euo pipefail

: "${DISKARCH:?the path of the tool}"
readonly SKIPPED=77
readonly DEADLINE_S=60

# Where everything of this test lives: its files, and the output of each process as NAME.out and NAME.err.
work=$(mktemp -d "$PWD/run.XXXXXX")
declare -A pids=()
# Processes that disks stand on. They are no part of what is tested, so the end of a test does not wait for theirs.
servers=()
loops=()
mounts=()

# ---- Beginning and end ---------------------------------------------------------------------------------------------------

step() {
    echo "-- $*"
}

fail() {
    echo "FAILED: $*" >&2
    local file
    for file in "$work"/*.out "$work"/*.err "$work"/*.journal "$work"/*.log; do
        if [[ -s $file ]]; then
            echo "---- the end of ${file##*/}" >&2
            tail -n 15 "$file" >&2
        fi
    done
    exit 1
}

is_long() {
    [[ ${DISKARCH_TEST_LONG:-} == 1 ]]
}

# Processes started here carry this mark in their environment, and so does every descendant, wherever it went.
survivors() {
    local files
    mapfile -t files < <(grep -lsz "^DISKARCH_TEST_MARK=$work$" /proc/[0-9]*/environ)
    files=("${files[@]#/proc/}")
    printf '%s\n' "${files[@]%/environ}"
}

has_no_survivors() {
    [[ -z $(survivors | tr -d '\n') ]]
}

clean_up() {
    local code=$? pid mount loop
    trap - EXIT
    # A second signal must not end what the first one began.
    trap '' TERM INT HUP
    set +e
    # They go first: who waits for a disk that hangs cannot be killed.
    for pid in "${servers[@]}"; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    # What is frozen cannot be killed, nor unmounted.
    for mount in "${mounts[@]}"; do
        fsfreeze -u "$mount" 2>/dev/null
    done
    for ((round = 0; round < 100; round++)); do
        has_no_survivors && break
        for pid in $(survivors); do
            kill -KILL "$pid" 2>/dev/null
        done
        wait 2>/dev/null
        sleep 0.05
    done
    for ((i = ${#loops[@]} - 1; i >= 0; i--)); do
        losetup -d "${loops[i]}"
    done
    for mount in "${mounts[@]}"; do
        umount "$mount"
    done
    if ((code == 0)) || [[ -z ${DISKARCH_TEST_KEEP:-} ]]; then
        rm -rf "$work"
    fi
    exit "$code"
}
trap clean_up EXIT
trap 'exit 1' TERM INT HUP

# The last line of a test: nothing of its processes may be left behind.
pass() {
    wait_until "$DEADLINE_S" "the end of every process: $(survivors | tr '\n' ' ')" has_no_survivors
    step "passed"
}

# ---- Processes -----------------------------------------------------------------------------------------------------------

# spawn NAME COMMAND...: in the background; its pid is ${pids[NAME]}.
spawn() {
    local name=$1
    shift
    DISKARCH_TEST_MARK=$work "$@" >>"$work/$name.out" 2>>"$work/$name.err" &
    pids[$name]=$!
}

# run NAME COMMAND...: to its end, whose code is put into $code.
run() {
    local name=$1
    shift
    code=0
    DISKARCH_TEST_MARK=$work "$@" >"$work/$name.out" 2>"$work/$name.err" || code=$?
}

# The shell itself collects a child that has ended; from then on it cannot be signalled.
has_ended() {
    ! kill -0 "${pids[$1]}" 2>/dev/null
}

# join NAME: waits for its end; $code is its exit code.
join() {
    wait_until "$DEADLINE_S" "the end of $1" has_ended "$1"
    code=0
    wait "${pids[$1]}" || code=$?
}

# kill_hard NAME...: kill -9. Collected at once, or the shell would announce the death later, somewhere.
kill_hard() {
    local name
    for name; do
        kill -KILL "${pids[$name]}"
        wait "${pids[$name]}" 2>/dev/null || true
    done
}

# stop NAME...: SIGTERM to all of them, then each must end with 0 or by that signal.
stop() {
    local name
    for name; do
        kill -TERM "${pids[$name]}" 2>/dev/null || true
    done
    for name; do
        join "$name"
        ((code == 0 || code == 143)) || fail "$name ended with $code after SIGTERM"
    done
}

# Every process below PID, itself excluded, and without the helper of the libaio engine, which does no work of its own.
descendants() {
    local child
    for child in $(ps -o pid=,comm= --ppid "$1" | awk '$2 != "diskarch-aio" {print $1}'); do
        echo "$child"
        descendants "$child"
    done
}

# ---- Conditions ----------------------------------------------------------------------------------------------------------

# wait_until SECONDS WHAT COMMAND...
wait_until() {
    local end=$((SECONDS + $1)) seconds=$1 what=$2
    shift 2
    until "$@"; do
        ((SECONDS < end)) || fail "not within $seconds s: $what"
        sleep 0.02
    done
}

# says FILE REGEX: in the output named so.
says() {
    grep -qsE -- "$2" "$work/$1"
}

wait_says() {
    wait_until "$DEADLINE_S" "'$2' in $1" says "$1" "$2"
}

must_say() {
    says "$1" "$2" || fail "$1 does not say '$2'"
}

must_not_say() {
    ! says "$1" "$2" || fail "$1 says '$2'"
}

# count FILE REGEX: the lines that match.
count() {
    local lines
    lines=$(grep -csE -- "$2" "$work/$1") || true
    echo "${lines:-0}"
}

has_count() {
    (($(count "$1" "$2") >= $3))
}

must_be() {
    [[ $2 == "$3" ]] || fail "$1 is '$2', not '$3'"
}

random_below() {
    echo $((SRANDOM % $1))
}

# ---- Disk sets -----------------------------------------------------------------------------------------------------------

join_by_comma() {
    local IFS=,
    echo "$*"
}

# Three files, to be formatted: $disks, and in an array $disk.
files_make() {
    disk=("$work/disk1" "$work/disk2" "$work/disk3")
    disks=$(join_by_comma "${disk[@]}")
}

# loop_make FILE SECTOR_BYTES: a loop device with direct I/O; $loop is its name.
loop_make() {
    loop=$(losetup --find --show --direct-io=on --sector-size "$2" "$1") || fail "no loop device can be had"
    loops+=("$loop")
}

# Three loop devices of SECTOR_BYTES: $disk, $disks, and their files in $backing.
loops_make() {
    local i
    if ((EUID != 0)) || ! losetup --find >/dev/null 2>&1; then
        echo "skipped: loop devices need root and the module loop" >&2
        exit "$SKIPPED"
    fi
    disk=()
    backing=()
    for i in 1 2 3; do
        # Written, not just sized: the first write into a hole takes a slower way through the file system.
        dd if=/dev/zero of="$work/backing$i" bs=1M count=24 status=none
        loop_make "$work/backing$i" "$1"
        backing+=("$work/backing$i")
        disk+=("$loop")
    done
    disks=$(join_by_comma "${disk[@]}")
}

# disks_make files|loop512|loop4096
disks_make() {
    case $1 in
    files) files_make ;;
    loop512) loops_make 512 ;;
    loop4096) loops_make 4096 ;;
    *) fail "no such kind of disks: $1" ;;
    esac
}

# set_format OPTION...: the set of a test: a lease of a second, a short quarantine. Later options win.
set_format() {
    run format "$DISKARCH" format --disks "$disks" --name test --lease 1s --io-deadline 100ms --quarantine 1s \
        --slots 32 --registers 16 "$@"
    ((code == 0)) || fail "format ended with $code"
    if [[ -n ${DISKARCH_ENGINE:-} ]]; then
        must_be "the engine" "$("$DISKARCH" status --disks "$disks" --json | jq -r .engine)" "$DISKARCH_ENGINE"
    fi
}
