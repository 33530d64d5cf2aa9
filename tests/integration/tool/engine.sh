#!/usr/bin/env bash
# The choice of the engine: by option, by environment, by what the kernel allows; and what is told about it.
#   engine.sh DENY HAS_IO_URING
source "${BASH_SOURCE%/*}/../lib.sh"

deny=$1
has_io_uring=$2
unset DISKARCH_ENGINE
files_make
set_format

# The engine of a running node, as others see it in its heartbeat, and of the command that looks.
engines_be() {
    must_be "the engine of $1 in status" \
        "$("$DISKARCH" status --disks "$disks" --json | jq -r --arg node "$1" '.nodes[] | select(.name == $node) | .engine')" "$2"
    must_say "$1.out" "joined set test by $2\$"
}

campaign_by() {
    local name=$1 engine=$2
    shift 2
    spawn "$name" "$@" "$DISKARCH" campaign --disks "$disks" --node "$name" one
    wait_says "$name.out" 'leader, epoch'
    engines_be "$name" "$engine"
    stop "$name"
}

step "forced by the environment, and by the option, which wins"
campaign_by environment libaio env DISKARCH_ENGINE=libaio
must_not_say environment.err libaio
run status env DISKARCH_ENGINE=libaio "$DISKARCH" status --disks "$disks" --json
must_be "the engine that read" "$(jq -r .engine "$work/status.out")" libaio
run dump env DISKARCH_ENGINE=nonsense "$DISKARCH" dump --disks "$disks" --engine libaio --json
must_be "the exit code of dump" "$code" 0
must_be "the engine that dumped" "$(jq -r .engine "$work/dump.out")" libaio
run nonsense env DISKARCH_ENGINE=nonsense "$DISKARCH" leader --disks "$disks" one
must_be "the exit code for an engine that is not known" "$code" 2
must_say nonsense.err 'DISKARCH_ENGINE: "nonsense" .*choose auto, io_uring or libaio'

if [[ $has_io_uring != 1 ]]; then
    step "a build without io_uring: libaio without a warning, and io_uring not at all"
    campaign_by auto libaio env
    must_not_say auto.err libaio
    run forced "$DISKARCH" leader --disks "$disks" --engine io_uring one
    must_be "the exit code" "$code" 6
    must_say forced.err 'this build has none; use --engine libaio'
    pass
    exit 0
fi

step "auto is io_uring, and there is nothing to warn of"
campaign_by auto io_uring env
must_not_say auto.err libaio

step "io_uring denied: libaio instead, and everybody is told why"
for error in EPERM ENOSYS; do
    campaign_by "denied$error" libaio "$deny" io_uring_setup "$error"
    must_say "denied$error.err" 'warning: libaio is used: engine io_uring: .*allow io_uring_setup'
    for verb in "leader one" "status" "dump" "lock one -- true"; do
        read -ra words <<<"$verb"
        run told "$deny" io_uring_setup "$error" "$DISKARCH" "${words[0]}" --disks "$disks" "${words[@]:1}"
        must_say told.err 'warning: libaio is used: engine io_uring: .*allow io_uring_setup'
    done
done
run quiet "$deny" io_uring_setup EPERM "$DISKARCH" lock --disks "$disks" -q one -- true
must_be "the exit code of lock -q" "$code" 0
must_not_say quiet.err libaio

step "denied by the administrator: his setting is named"
echo 2 >"$work/disabled"
if [[ -e /proc/sys/kernel/io_uring_disabled ]]; then
    run told unshare --mount sh -c "mount --bind '$work/disabled' /proc/sys/kernel/io_uring_disabled && exec \"\$@\"" sh \
        "$deny" io_uring_setup EPERM "$DISKARCH" leader --disks "$disks" one
    must_say told.err 'warning: .*kernel.io_uring_disabled is 2.*sysctl -w kernel.io_uring_disabled=0'
fi

step "forced and denied is an error with the remedy"
for verb in "leader one" "campaign one" "lock one -- true" "dump"; do
    read -ra words <<<"$verb"
    run forced "$deny" io_uring_setup EPERM "$DISKARCH" "${words[0]}" --disks "$disks" --engine io_uring "${words[@]:1}"
    must_be "the exit code of ${words[0]}" "$code" 6
    must_say forced.err 'engine io_uring: not permitted, .*allow io_uring_setup'
done
run forced "$deny" io_setup EPERM "$DISKARCH" leader --disks "$disks" --engine libaio one
must_be "the exit code without libaio" "$code" 6
must_say forced.err 'engine libaio: not permitted, .*allow io_setup'
run neither "$deny" io_uring_setup,io_setup EPERM "$DISKARCH" leader --disks "$disks" one
must_be "the exit code without either" "$code" 6
must_say neither.err 'engine libaio: .*engine io_uring: '
pass
