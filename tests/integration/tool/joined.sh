# Verbs that make a node for a moment: they join in time or say why not, leave nothing behind, and name themselves.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format --slots 2 --lease 4s --io-deadline 400ms # no node may have to join twice, also on a busy machine
export DISKARCH_DISKS=$disks
readonly TIMEOUT=15

# Nodes that have not left.
present() {
    "$DISKARCH" nodes --json | jq -r '.[] | select(.liveness != "left") | .name' | sort | tr '\n' ' '
}

step "its name tells verb and host, unless one is given"
run set "$DISKARCH" register set v 1
must_be "exit code" "$code" 0
must_be "the name of the node" "$("$DISKARCH" nodes --json | jq -r '.[].name')" "register@$(uname -n)"
run named "$DISKARCH" register --node visitor set v 2
must_be "exit code" "$code" 0
must_be "nodes that have not left" "$(present)" ""

step "no slot is free: it says so, waits as long as it was told, and nothing has changed"
spawn alpha "$DISKARCH" campaign --node alpha r
spawn beta "$DISKARCH" campaign --node beta s
wait_says alpha.out 'leader'
wait_says beta.out 'leader'
run waiting "$DISKARCH" register -w 2s set v 3
must_be "exit code" "$code" "$TIMEOUT"
must_say waiting.err 'waiting to join: no slot is free'
must_say waiting.err 'the node has not joined within the time given; give more by -w'
run waiting "$DISKARCH" resign -w 0s r
must_be "exit code without any time" "$code" "$TIMEOUT"
must_be "nodes that have not left" "$(present)" "alpha beta "

step "one that waits gets the slot of one that leaves"
spawn patient "$DISKARCH" register set v 3
wait_says patient.err 'waiting to join'
stop beta
join patient
must_be "exit code" "$code" 0
must_say patient.out '^3 3$'

step "kill -9 takes the order back with the node that gave it"
spawn killed "$DISKARCH" request r
wait_says alpha.out 'asked by request@'
kill_hard killed
spawn hopeful "$DISKARCH" campaign --node hopeful r
wait_says hopeful.out 'candidate; held by alpha'
must_be "the leader" "$("$DISKARCH" leader r)" alpha
must_be "requests that were told" "$(count alpha.out 'asked by')" 1
stop alpha hopeful
pass
