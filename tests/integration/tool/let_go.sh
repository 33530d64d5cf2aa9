# Letting go because another node asks for the role: transfer, resign, request. The command is stopped first, and the next
# one starts only when nothing of it is left; the epoch grows by one.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format --lease 3s # a grace that a command on a busy machine can use
export DISKARCH_DISKS=$disks
log=$work/shared.log
readonly ORDERED=13 NO=1 TIMEOUT=15

# A command that writes down when it began and, a while after SIGTERM, when it is gone.
readonly writes="
    trap 'sleep 0.1; echo \"\$0 gone\" >>$log; exit 0' TERM
    echo \"\$0 began \$DISKARCH_EPOCH\" >>$log
    while :; do sleep 0.02; done"

# lock_begin NAME OPTION... ROLES: a lock whose command is the above.
lock_begin() {
    local name=$1
    shift
    spawn "$name" "$DISKARCH" lock --node "$name" --grace 1s -v "$@" -- sh -c "$writes" "$name"
}

ask() {
    local name=$1
    shift
    run "$name" "$DISKARCH" "$@"
}

has_begun() {
    wait_until "$DEADLINE_S" "the command of $1" has_count shared.log "^$1 began " "${2:-1}"
}

waits() {
    wait_says "$1.err" 'waiting for role'
}

# log_must_end WORDS: name and verb of its last two lines.
log_must_end() {
    must_be "the end of the log" "$(tail -n 2 "$log" | awk '{print $1, $2}' | tr '\n' ' ')" "$1 "
}

leader_must_be() {
    must_be "the leader of $1" "$("$DISKARCH" leader "$1")" "$2"
}

epoch_of() {
    "$DISKARCH" leader --json "$1" | jq .epoch
}

step "a transfer: the command ends, then the successor's starts, under the next epoch; the other candidate goes on waiting"
lock_begin alpha r
has_begun alpha
lock_begin beta r
lock_begin gamma r
waits beta
waits gamma
ask to_beta transfer r beta
must_be "exit code of transfer" "$code" 0
leader_must_be r beta
join alpha
must_be "exit code of alpha" "$code" "$ORDERED"
must_say alpha.err 'role "r", epoch 1, is to be handed over to node beta: it is let go, the command stopped'
has_begun beta
must_be "the log" "$(tr '\n' ' ' <"$log")" "alpha began 1 alpha gone beta began 2 "

step "a transfer to nobody changes nothing"
ask to_nobody transfer r nobody
must_be "exit code" "$code" "$NO"
must_say to_nobody.err 'role "r": no other node of this name is ready; start one'
ask to_itself transfer r beta
must_be "exit code of a transfer to the leader itself" "$code" "$NO"
leader_must_be r beta
must_be "the epoch" "$(epoch_of r)" 2

step "an order to resign: the command ends, the next candidate leads under the next epoch"
ask order resign r
must_be "exit code of resign" "$code" 0
[[ ! -s $work/order.out && ! -s $work/order.err ]] || fail "resign is not silent"
join beta
must_be "exit code of beta" "$code" "$ORDERED"
must_say beta.err 'role "r", epoch 2, is to be resigned by order of node resign@'
has_begun gamma
log_must_end "beta gone gamma began"
must_be "the epoch" "$(epoch_of r)" 3

step "a request is told, and declined without --yield; given up, it is taken back"
ask polite request -w 1500ms r
must_be "exit code of request" "$code" "$TIMEOUT"
must_say polite.err 'role "r": the time given has passed; nothing has changed; give more by -w'
must_say gamma.err 'role "r", epoch 3, is requested by node request@[^ ]*: it is kept, for want of --yield'
leader_must_be r gamma
must_be "requests that were told" "$(count gamma.err 'is requested')" 1
must_be "the epoch" "$(epoch_of r)" 3
stop gamma

step "with --yield a request is an order"
lock_begin delta --yield r
has_begun delta
ask heard request r
must_be "exit code of request" "$code" 0
join delta
must_be "exit code of delta" "$code" "$ORDERED"
must_say delta.err 'is requested by node request@[^ ]*: it is let go'
must_say shared.log '^delta gone$'

step "nobody to ask"
ask free resign r
must_be "exit code for a free role" "$code" "$NO"
must_say free.err 'role "r": nobody alive holds the role; there is nobody to ask'
ask unknown resign unheard-of
must_be "exit code for an unknown role" "$code" "$NO"
must_say unknown.err 'role "unheard-of": it does not exist; a first campaign creates'

step "a command that ignores SIGTERM is killed after the grace; all roles of its lock are let go, all or none"
spawn deaf "$DISKARCH" lock --node deaf --grace 100ms a,b -- sh -c "trap '' TERM; echo running; while :; do sleep 0.02; done"
wait_says deaf.out running
ask order resign b
must_be "exit code of resign" "$code" 0
join deaf
must_be "exit code of the lock" "$code" "$ORDERED"
has_no_survivors || fail "a process was left behind"
must_be "roles still held" "$("$DISKARCH" roles --json | jq -r '.[] | select(.held) | .name')" ""

step "an order while another role is still waited for: the command never starts"
lock_begin holder b
has_begun holder
lock_begin greedy a,b
waits greedy
leader_must_be a greedy
ask order resign a
must_be "exit code of resign" "$code" 0
join greedy
must_be "exit code" "$code" "$ORDERED"
must_not_say shared.log '^greedy began'
stop holder

step "a command that has ended by itself keeps its exit code"
spawn short "$DISKARCH" lock --node short r -- sh -c 'trap "exit 5" TERM; echo running; while :; do sleep 0.02; done'
wait_says short.out running
kill -TERM "${pids[short]}"
join short
must_be "exit code" "$code" 5

step "campaign: obeys, says so, and ends with its own exit code"
spawn orator "$DISKARCH" campaign --node orator r
wait_says orator.out '^r: leader, epoch'
ask order resign r
must_be "exit code of resign" "$code" 0
join orator
must_be "exit code of the campaign" "$code" "$ORDERED"
must_say orator.out '^r: asked by resign@.* to let go, epoch '
must_be "its last line" "$(tail -n 1 "$work/orator.out")" "r: released"

step "campaign: hands over; with --forever it is a candidate again after a pause"
spawn stayer "$DISKARCH" campaign --node stayer --forever --json r
wait_says stayer.out '"leader"'
spawn heir "$DISKARCH" campaign --node heir r
wait_says heir.out 'candidate; held by stayer'
ask to_heir transfer r heir
must_be "exit code of transfer" "$code" 0
leader_must_be r heir
wait_says stayer.out '"candidate"'
must_be "to whom" "$(jq -rs 'map(select(.event == "transfer"))[0].successor' "$work/stayer.out")" heir
stop heir
wait_until "$DEADLINE_S" "stayer leads again" has_count stayer.out '"leader"' 2
must_be "its epochs" "$(jq -rs 'map(select(.event == "leader").epoch) | .[1] - .[0]' "$work/stayer.out")" 2
stop stayer
pass
