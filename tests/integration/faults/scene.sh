# Sourced after lib.sh and rig.sh by the tests of elections on faulty disks. It knows the scene that they share: a
# leader whose command increments a counter, those who wait for its role, somebody who watches; how to ask whether all
# is well.
#
# Environment, set by CMake: COUNTER is the judge of the increments, PACE the node that measures how fast elections are,
# DISKARCH_ENGINE the engine that all nodes must run on.
: "${COUNTER:?the path of the judge}" "${PACE:?the path of the program that measures}" "${DISKARCH_ENGINE:?the engine}"

readonly LEASE_MS=2000 RENEW_MS=200 IO_DEADLINE_MS=100

# scene_format OPTION...: the set of a test, on $disks. Later options win.
scene_format() {
    set_format --lease ${LEASE_MS}ms --renew ${RENEW_MS}ms --io-deadline ${IO_DEADLINE_MS}ms "$@"
    touch "$work/counter" "$work/counter.journal"
}

# leader_start NODE DISKS: campaigns for the role "one", and increments the counter while it leads.
leader_start() {
    spawn "$1" "$DISKARCH" lock --disks "$2" --node "$1" one -- \
        "$COUNTER" increment --name "$1" --sleep 5-10 "$work/counter"
}

wait_leads() {
    wait_until "$DEADLINE_S" "increments by $1" has_count counter.journal "^wrote $1 " 1
}

candidate_start() {
    spawn "$1" "$DISKARCH" campaign --disks "$2" --node "$1" one
    wait_says "$1.out" "candidate; held by"
    must_say "$1.out" "joined set .* by $DISKARCH_ENGINE$"
}

# watch_start NAME DISKS: its lines are read by watched_reason.
watch_start() {
    spawn "$1" "$DISKARCH" watch --disks "$2" --json
    wait_until "$DEADLINE_S" "the first line of $1" test -s "$work/$1.out"
}

# ---- What is known of nodes and disks --------------------------------------------------------------------------------

# beats DISK NODE: the counter of its heartbeat on that disk, which can be read; 0 if none is there.
beats() {
    "$DISKARCH" dump --disks "$1" --json |
        jq --arg node "$2" '[.disks[].blocks[]? | select(.kind == "heartbeat" and .node == $node).counter] | max // 0'
}

# A look costs more than a heartbeat does, so looks are rare.
has_beaten() {
    sleep 0.1
    (($(beats "$1" "$2") >= $3))
}

# wait_beats DISK NODE N: for so many more.
wait_beats() {
    local now
    now=$(beats "$1" "$2")
    wait_until "$DEADLINE_S" "heartbeats of $2 on $1" has_beaten "$1" "$2" $((now + $3))
}

# wait_beyond_lease DISK NODE: who did not renew would have lost.
wait_beyond_lease() {
    wait_beats "$1" "$2" $((LEASE_MS / RENEW_MS + 2))
}

# watched_reason NAME PATH: what the newest line of that `watch` says of the disk's fault; "null" of a good one.
watched_reason() {
    jq -rs --arg path "$2" 'map(select(.kind == "disk" and .path == $path)) | last.reason' "$work/$1.out"
}

watch_names() {
    [[ $(watched_reason "$1" "$2") != null ]]
}

watch_finds_good() {
    [[ $(watched_reason "$1" "$2") == null ]]
}

# status_reason DISKS PATH: the same of `status`.
status_reason() {
    run status "$DISKARCH" status --disks "$1" --json
    must_be "the exit code of status" "$code" 0
    jq -r --arg path "$2" '.disks[] | select(.path == $path) | .reason' "$work/status.out"
}

status_finds_good() {
    local path
    for path in ${1//,/ }; do
        [[ $(status_reason "$1" "$path") == null ]] || return 1
    done
}

# Who only reads, as `status` and `watch` do, knows no fault of writes.
readonly faults_of_writes=(fail-writes tear tear-fail misplace hold) faults_of_reads=(fail-reads crawl hang)

fault_is_seen_by_readers() {
    [[ " fail ${faults_of_reads[*]} " == *" $1 "* ]]
}

# ---- All is well -----------------------------------------------------------------------------------------------------

# undisturbed_begin NODE: it leads from here on, by the same processes and under the same epoch.
undisturbed_begin() {
    undisturbed=$1
    undisturbed_processes=$(descendants "${pids[$1]}")
    undisturbed_epoch=$(awk 'END {print $2}' "$work/counter")
}

# must_be_undisturbed DISK: for longer than a lease, as seen on a disk that has no fault.
must_be_undisturbed() {
    local written
    written=$(count counter.journal "^wrote $undisturbed ")
    wait_beyond_lease "$1" "$undisturbed"
    wait_until "$DEADLINE_S" "increments by $undisturbed" \
        has_count counter.journal "^wrote $undisturbed " $((written + 20))
    must_be "the processes of $undisturbed" "$(descendants "${pids[$undisturbed]}")" "$undisturbed_processes"
    must_be "the epoch of $undisturbed" "$(awk 'END {print $2, $3}' "$work/counter")" "$undisturbed_epoch $undisturbed"
}

# No increment was lost, no epoch fell, and nobody wrote after his epoch.
must_have_lost_nothing() {
    run judged "$COUNTER" judge "$work/counter"
    cat "$work/judged.out"
    must_be "the exit code of the judge" "$code" 0
    must_not_say counter.journal '^refused'
}

# ---- Speed -----------------------------------------------------------------------------------------------------------

readonly PACE_SAMPLES=80

pace_start() {
    spawn "$1" "$PACE" "$2" "$1" kept paced
    wait_says "$1.out" '^resigned'
    must_say "$1.out" "^joined by $DISKARCH_ENGINE$"
}

# pace_sample NODE FILE COMMAND...: how long its elections and resignations took while COMMAND ran and after it, but no
# fewer than a median asks for.
pace_sample() {
    local node=$1 file=$work/$2 begin end
    shift 2
    begin=$(count "$node.out" .)
    "$@"
    wait_until "$DEADLINE_S" "elections of $node" has_count "$node.out" . $((begin + PACE_SAMPLES))
    end=$(count "$node.out" .)
    sed -n "$((begin + 1)),${end}s/^[a-z]* //p" "$work/$node.out" >"$file"
}

median() {
    sort -n "$work/$1" | awk '{values[NR] = $1} END {print values[int((NR + 1) / 2)]}'
}
