# A command that cannot be killed, because it waits in the kernel for a disk: `diskarch lock` says so, and the role stays
# held until the command is gone (rule N6). The disk is a frozen file system on a loop device.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

# A file system that can be frozen: $frozen.
freezable_make() {
    if ((EUID != 0)) || ! losetup --find >/dev/null 2>&1; then
        echo "skipped: a frozen file system needs root and the module loop" >&2
        exit "$SKIPPED"
    fi
    truncate -s 32M "$work/image"
    mkfs.ext4 -q "$work/image"
    loop_make "$work/image" 512
    frozen=$work/frozen
    mkdir "$frozen"
    mount "$loop" "$frozen"
    mounts+=("$frozen")
}

is_in_kernel() {
    [[ $(ps -o stat= -p "$1") == D* ]]
}

freezable_make
step "a command hangs in the kernel"
fsfreeze -f "$frozen"
spawn hung "$DISKARCH" lock --node hung --grace 10ms r -- sh -c "echo running; exec touch $frozen/file"
wait_says hung.out running
guard=$(ps -o pid= --ppid "${pids[hung]}" | tr -d ' ')
command=$(ps -o pid= --ppid "$guard" | tr -d ' ')
wait_until "$DEADLINE_S" "the command in the kernel" is_in_kernel "$command"

step "its guard is told to end it, cannot, and says so; the role stays held"
kill -KILL "$command"
kill -TERM "${pids[hung]}"
kill -0 "$guard" || fail "the guard has gone before its command"
kill -STOP "${pids[hung]}"
run heir "$DISKARCH" lock --node heir r -- true # the lease has passed: the guard acted by itself
must_be "exit code of the next" "$code" 0
kill -CONT "${pids[hung]}"
wait_says hung.err "process $command survives SIGKILL"
kill -0 "$guard" || fail "the guard has gone before its command"
kill -0 "${pids[hung]}" || fail "the lock has gone before its command"

step "once the disk is back the command dies, and everything ends"
fsfreeze -u "$frozen"
join hung
must_be "exit code" "$code" 7
pass
