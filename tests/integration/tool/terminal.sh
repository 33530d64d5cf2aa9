# `diskarch lock` between a terminal and an interactive shell: job control works inside, control-C reaches the command once,
# control-Z does not stop the lease.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

# terminal NAME COMMAND...: the command on a terminal of its own; what arrives on descriptor 5 is typed into it.
terminal() {
    local name=$1
    shift
    mkfifo "$work/$name.keys"
    # Without job control a shell has its background processes ignore SIGINT; here it is what is tested. The shell that
    # script(1) starts gives way to the command: one that stayed would die of the same control-C and hide the exit code.
    DISKARCH_TEST_MARK=$work SHELL=/bin/sh env --default-signal=INT,QUIT script -qefc "exec $*" "$work/$name.log" \
        <"$work/$name.keys" >"$work/$name.out" 2>&1 &
    pids[$name]=$!
    exec 5>"$work/$name.keys"
}

# Whether a process of that name has the terminal.
has_terminal() {
    local pid
    for pid in $(survivors); do
        [[ $(ps -o stat=,comm= -p "$pid") != *+*" $1" ]] || return 0
    done
    return 1
}

type_in() {
    printf '%b' "$1" >&5
}

step "an interactive shell has the terminal, and job control in it"
terminal shell "$DISKARCH" lock r -- bash --norc -i
type_in 'echo $((6 * 7)) jobs\n'
wait_says shell.out '42 jobs'
type_in 'sleep 1000\n'
wait_until "$DEADLINE_S" "sleep in the foreground" has_terminal sleep
type_in '\x1a'
wait_says shell.out 'Stopped +sleep 1000'
type_in 'fg\n'
wait_until "$DEADLINE_S" "sleep in the foreground again" has_terminal sleep
type_in '\x03'
type_in 'exit 3\n'
exec 5>&-
join shell
must_be "exit code" "$code" 3

step "control-Z is undone, control-C reaches the command once, and its exit code counts"
terminal counter "$DISKARCH" lock r -- "sh -c 'trap \"echo heard\" INT; echo running; read x; read x; exit 4'"
wait_says counter.out running
type_in '\x1a'
wait_says counter.out 'cannot be suspended'
type_in '\x03'
wait_says counter.out heard
type_in '\n\n\n'
exec 5>&-
join counter
must_be "exit code" "$code" 4
must_be "times that SIGINT was heard" "$(count counter.out heard)" 1
pass
