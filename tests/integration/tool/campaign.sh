# `diskarch campaign`: its events in words and in JSON, one flushed line each; it resigns and leaves when told to end, and
# joins again by itself after a lost lease.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

campaign_begin() {
    local name=$1
    shift
    spawn "$name" "$DISKARCH" campaign --node "$name" "$@"
}

# The named fields of the first line about an event.
event_of() {
    jq -rs "map(select(.event == \"$2\"))[0] | $3" "$work/$1.out"
}

step "a leader and a candidate, in words and in JSON"
campaign_begin alpha r
wait_says alpha.out '^r: leader, epoch 1$'
must_say alpha.out '^alpha: joined set test by io_uring$'
campaign_begin beta --json r
wait_says beta.out '"candidate"'
must_be "what beta waits for" "$(event_of beta candidate '"\(.role) \(.holder) \(.epoch)"')" "r alpha 1"
must_be "the order of beta's events" "$(jq -rs 'map(.event) | join(" ")' "$work/beta.out")" "joined candidate"

step "SIGTERM resigns: the other leads under the next epoch, without waiting for a lease"
stop alpha
must_say alpha.out '^r: released$'
wait_says beta.out '"leader"'
must_be "beta's epoch" "$(event_of beta leader .epoch)" 2

step "a campaign that was stopped beyond its lease says that it lost, and joins again"
kill -STOP "${pids[beta]}"
campaign_begin gamma r
wait_says gamma.out '^r: leader, epoch 3$'
kill -CONT "${pids[beta]}"
wait_says beta.out '"lost"'
must_be "the epoch that was lost" "$(event_of beta lost .epoch)" 2
wait_until "$DEADLINE_S" "beta joins again" has_count beta.out '"joined"' 2
stop gamma
wait_until "$DEADLINE_S" "beta leads again" has_count beta.out '"leader"' 2
stop beta
must_be "beta's last event" "$(jq -rs 'last.event' "$work/beta.out")" released
pass
