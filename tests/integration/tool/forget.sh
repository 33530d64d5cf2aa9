# Forgetting a role: only a free one; lists do not show it any more; its epoch goes on where it was.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

forget() {
    local name=$1
    shift
    run "$name" "$DISKARCH" forget "$@"
}

epoch_led() {
    "$DISKARCH" lock "$1" -- sh -c 'echo "$DISKARCH_EPOCH"'
}

names() {
    "$DISKARCH" roles --json | jq -r '.[].name' | sort | tr '\n' ' '
}

step "a role that somebody holds is not forgotten"
must_be "the first epoch" "$(epoch_led r)" 1
spawn holder "$DISKARCH" campaign --node holder r
wait_says holder.out 'leader, epoch 2'
forget held r
must_be "exit code" "$code" 1
must_say held.err 'role "r": the role is held by another; have its leader let go by `diskarch resign` first'
must_be "the leader" "$("$DISKARCH" leader r)" holder
stop holder

step "a free one is, and lists do not show it"
epoch_led s >"$work/s.log"
must_be "the roles before" "$(names)" "r s "
forget free r
must_be "exit code" "$code" 0
must_be "the roles afterwards" "$(names)" "s "
run leader "$DISKARCH" leader r
must_be "exit code of leader" "$code" 1
must_say leader.err 'no role of this name'

step "created again it goes on from its epoch, however often"
for epoch in 3 4 5; do
    must_be "the epoch" "$(epoch_led r)" "$epoch"
    forget again r
    must_be "exit code" "$code" 0
done

step "what is not there, or no role"
forget unknown unheard-of
must_be "exit code" "$code" 1
must_say unknown.err 'role "unheard-of": it does not exist'
run value "$DISKARCH" register set v 1
must_be "exit code of register set" "$code" 0
forget kind v
must_be "exit code for a register" "$code" 4
must_say kind.err 'role "v": the name belongs to another kind of value; choose another name'
pass
