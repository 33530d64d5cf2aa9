# `diskarch tune`: refused while a node lives; killed anywhere, either nobody can join or everybody has the same timings; run again, it
# ends what was begun. And what it changed is what nodes live by.
source "${BASH_SOURCE%/*}/../lib.sh"
source "${BASH_SOURCE%/*}/offline.sh"

files_make
set_format --lease 200ms --renew 20ms --io-deadline 50ms --quarantine 300ms
export DISKARCH_DISKS=$disks
watched=("${disk[@]}")

lease_of() {
    run lease "$DISKARCH" status --json
    jq .set.lease_ms "$work/lease.out"
}

step "refused while a node lives, and the node goes on"
spawn node "$DISKARCH" campaign --node alpha db
wait_says node.out 'db: leader, epoch 1'
run busy "$DISKARCH" tune --lease 400ms
must_be "exit code" "$code" 5
must_say busy.err 'is in use: the heartbeat of node "alpha" moves; stop that node first'
must_be "lease" "$(lease_of)" 200
must_not_say node.out 'lost'
stop node

step "at rest it is done, and nodes live by it"
run tune "$DISKARCH" tune --lease 400ms --renew 40ms --slot-reuse never --clock-drift 1%
must_be "exit code" "$code" 0
must_say tune.out 'lease 400ms, renewed every 40ms, .* 10000ppm, slots of the dead never used again'
run told "$DISKARCH" status --json
must_be "timings" "$(jq -c '[.set.lease_ms, .set.renew_ms, .set.clock_drift_ppm, .set.slot_reuse]' "$work/told.out")" \
    '[400,40,10000,"never"]'
run lock "$DISKARCH" lock db -- true
must_be "exit code of lock" "$code" 0
refuses 2 'nothing to change; say what' tune --lease 400ms
refuses 2 'renew: 200ms is not between' tune --renew 200ms
refuses 3 'disk 1 is missing .* tune needs every disk' tune --disks "${disk[0]},${disk[2]}" --lease 1s
run back "$DISKARCH" tune --slot-reuse quarantine
must_be "exit code" "$code" 0

step "killed at any time"
is_old_or_new() {
    [[ $1 == "$old" || $1 == "$new" ]]
}
old=400
rounds=5
! is_long || rounds=200
for ((round = 0; round < rounds; round++)); do
    new=$((400 + 10 * (round % 2) + 10))
    spawn "killed$round" "$DISKARCH" tune --lease "${new}ms"
    sleep 0.$(printf %03d $((390 + SRANDOM % 100)))
    kill_hard "killed$round"
    run opened "$DISKARCH" status --json
    if ((code == 3)); then
        must_say opened.err 'diskarch tune is at work on set "test", or was cut off; let it end, or run it again'
        run joined "$DISKARCH" lock -w 100ms db -- true
        must_be "exit code of lock on a set half tuned" "$code" 3
    else
        must_be "exit code" "$code" 0
        is_old_or_new "$(jq .set.lease_ms "$work/opened.out")" || fail "neither the old lease nor the new one"
    fi
    run again "$DISKARCH" tune --lease "${new}ms"
    ((code == 0)) || must_say again.err 'nothing to change'
    must_be "lease" "$(lease_of)" "$new"
    old=$new
done

step "compacting an idle set changes no name"
for role in a b c; do
    run "lock-$role" "$DISKARCH" lock "$role" -- true
done
run compact "$DISKARCH" tune --compact
must_be "exit code" "$code" 0
must_say compact.out '^0 registers of forgotten names are free; new names start above epoch [1-9]'
run after "$DISKARCH" status --json
must_be "roles" "$(jq -c '[.roles[].name] | sort' "$work/after.out")" '["a","b","c","db"]'
run check "$DISKARCH" check
must_be "exit code of check" "$code" 0
pass
