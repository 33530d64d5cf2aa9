# The manners of `diskarch lock`: exit codes, waiting, signals, environment, terminal, and what becomes of the command when
# the lock, its guard or the lease ends.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

# A command that says it runs, and then does until it is stopped.
readonly runs_on='echo running; exec sleep 1000'

lock() {
    local name=$1
    shift
    run "$name" "$DISKARCH" lock --node "$name" "$@"
}

lock_begin() {
    local name=$1
    shift
    spawn "$name" "$DISKARCH" lock --node "$name" "$@"
}

guard_of() {
    ps -o pid= --ppid "${pids[$1]}" | tr -d ' '
}

is_free() {
    run leader "$DISKARCH" leader "$1"
    ((code == 1))
}

step "the command's exit code is passed on, and the role is free afterwards"
lock seven r -- sh -c 'exit 7'
must_be "exit code" "$code" 7
is_free r || fail "the role is still held"
lock killed r -- sh -c 'kill -KILL $$'
must_be "exit code" "$code" 137
lock missing r -- /nonexistent/command
must_be "exit code" "$code" 127
must_say missing.err 'command "/nonexistent/command": No such file or directory; check'
lock folder r -- /
must_be "exit code" "$code" 126
lock option r sh -c 'exit $#' sh -n -w # without --: what follows the role is the command's
must_be "exit code" "$code" 2

step "environment and epoch file, roles in the order given"
lock first a,b -- true
lock second b -- true
lock told --epoch-file "$work/epochs" b,a -- \
    sh -c 'echo "$DISKARCH_SET $DISKARCH_ROLE $DISKARCH_EPOCH $(cat '"$work/epochs"')"'
must_say told.out '^test b,a 3,2 3,2$'
must_be "the epoch file afterwards" "$(cat "$work/epochs")" 3,2
lock unwritable --epoch-file "$work/none/epochs" a -- echo started
must_be "exit code" "$code" 9
must_say unwritable.err 'epoch file .*/none/epochs cannot be written: .*; choose'
must_not_say unwritable.out started

step "streams and further descriptors are the command's"
echo "through a pipe" | "$DISKARCH" lock r -- cat >"$work/piped.out"
must_say piped.out '^through a pipe$'
exec 7>"$work/seven.out"
lock descriptor r -- sh -c 'echo on seven >&7'
exec 7>&-
must_say seven.out '^on seven$'
lock inherited r -- sh -c 'ls -l /proc/self/fd'
must_not_say inherited.out 'disk[1-3]|socket:|anon_inode'

step "the command has the priority it would have had, its signals are not blocked"
lock policy r -- sh -c 'chrt -p $$ | head -n 1; grep SigBlk /proc/self/status'
must_say policy.out 'SCHED_OTHER'
must_say policy.out 'SigBlk:.*0000000000000000'

step "-n, -w and -E while another leads"
lock_begin holder r -- sh -c "$runs_on"
wait_says holder.out running
lock nowait -n r -- echo started
must_be "exit code" "$code" 1
must_say nowait.err 'role "r" was not acquired: it is held by holder, epoch [0-9]+, alive; '
must_not_say nowait.out started
lock coded -n -q -E 42 r -- echo started
must_be "exit code" "$code" 42
[[ ! -s $work/coded.err ]] || fail "-q is not quiet"
lock brief -v -w 2s r -- echo started
must_be "exit code" "$code" 1
must_say brief.err 'waiting for role "r": held by holder, epoch'
must_not_say brief.out started

step "all roles or none"
lock both -n q,r -- echo started
must_be "exit code" "$code" 1
is_free q || fail "q is still held"

step "a signal while waiting ends it, with a clean leave"
lock_begin waiter -v r -- echo started
wait_says waiter.err 'waiting for role "r"'
kill -TERM "${pids[waiter]}"
join waiter
must_be "exit code" "$code" 143
must_not_say waiter.out started
must_be "liveness of the waiter" \
    "$("$DISKARCH" status --json | jq -r '.nodes[] | select(.name == "waiter") | .liveness')" left

step "a signal while running goes to the command"
stop holder
lock_begin heedful r -- sh -c 'trap "echo heard; exit 5" USR1; echo running; while :; do sleep 0.02; done'
wait_says heedful.out running
kill -USR1 "${pids[heedful]}"
join heedful
must_be "exit code" "$code" 5
must_say heedful.out heard

step "what was ignored at the start stays ignored"
lock_begin keeper r -- sh -c "$runs_on"
wait_says keeper.out running
spawn unhung nohup "$DISKARCH" lock --node unhung -v r -- echo started
wait_says unhung.err 'waiting for role "r"'
kill -HUP "${pids[unhung]}"
stop keeper
join unhung
must_be "exit code" "$code" 0
must_say unhung.out started

step "who waits gets the role when the holder ends"
lock_begin older r -- sh -c "$runs_on"
wait_says older.out running
lock_begin newer -v r -- sh -c 'echo "epoch $DISKARCH_EPOCH"'
wait_says newer.err 'waiting for role'
stop older
join newer
must_be "exit code" "$code" 0

step "what the command leaves behind is stopped before the role is free"
lock leftover r -- sh -c 'setsid sleep 1000 & echo started'
must_be "exit code" "$code" 0
has_no_survivors || fail "a process was left behind"

step "kill -9 of the lock stops the whole tree, and the next one gets the role"
for tree in 'sleep 1000 & echo running; wait' 'setsid sh -c "echo running; sleep 1000" & wait' \
    "trap '' TERM; echo running; while :; do sleep 0.02; done" 'setsid -f sleep 1000; echo running; sleep 1000'; do
    rm -f "$work/doomed.out"
    lock_begin doomed r -- sh -c "$tree"
    wait_says doomed.out running
    kill -KILL "${pids[doomed]}"
    join doomed
    must_be "exit code" "$code" 137
    wait_until "$DEADLINE_S" "the end of its processes" has_no_survivors
    lock heir r -- true
    must_be "exit code of the next" "$code" 0
done

step "kill -9 of the guard kills the whole tree too"
lock_begin unguarded r -- sh -c 'setsid sleep 1000 & echo running; wait'
wait_says unguarded.out running
kill -KILL "$(guard_of unguarded)"
join unguarded
must_be "exit code" "$code" 8
must_say unguarded.err 'the guard was killed'
has_no_survivors || fail "a process was left behind"

step "a stopped lock: its guard stops the command, another leads, the woken one says so"
lock_begin frozen r -- sh -c 'sleep 1000 & echo running; wait'
wait_says frozen.out running
guard=$(guard_of frozen)
kill -STOP "${pids[frozen]}"
guard_is_gone() {
    [[ $(ps -o stat= -p "$guard") != [!Z]* ]]
}
lock heir r -- sh -c 'echo started'
must_say heir.out started
guard_is_gone || fail "another leads, and the guard of the stopped one still has work"
kill -CONT "${pids[frozen]}"
join frozen
must_be "exit code" "$code" 7

step "two of three disks gone: the command is stopped with the lease, the exit code says so"
lock_begin starved r -- sh -c "$runs_on"
wait_says starved.out running
truncate -s 0 "$work/disk1" "$work/disk2"
join starved
must_be "exit code" "$code" 7
must_say starved.err 'lease is about to end|was lost'
has_no_survivors || fail "a process was left behind"
pass
