# Of two that wait for a role, the preferred one gets it: not always, but mostly. Five roles change hands at a time.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks
log=$work/winners.log

readonly rounds=4
roles=(r1 r2 r3 r4 r5)

# candidate NAME PRIORITY ROLE: writes down that it was there.
candidate() {
    spawn "$1-$3" "$DISKARCH" lock --node "$1-$3" --priority "$2" -v "$3" -- sh -c "echo $1 $3 >>$log"
}

preferred=0
for ((round = 1; round <= rounds; round++)); do
    step "round $round of $rounds"
    : >"$log"
    spawn "holder$round" "$DISKARCH" lock --node "holder$round" "$(join_by_comma "${roles[@]}")" -- \
        sh -c 'echo running; exec sleep 1000'
    wait_says "holder$round.out" running
    for role in "${roles[@]}"; do
        rm -f "$work"/{first,second}-"$role".err
        candidate second 8 "$role"
        candidate first 0 "$role"
    done
    for role in "${roles[@]}"; do
        wait_says "first-$role.err" 'waiting for role'
        wait_says "second-$role.err" 'waiting for role'
    done
    stop "holder$round"
    for role in "${roles[@]}"; do
        join "first-$role"
        must_be "exit code of first-$role" "$code" 0
        join "second-$role"
        must_be "exit code of second-$role" "$code" 0
        winner=$(grep " $role\$" "$log" | head -n 1)
        [[ $winner != "first $role" ]] || preferred=$((preferred + 1))
    done
done

all=$((rounds * ${#roles[@]}))
step "the preferred candidate won $preferred of $all"
((preferred * 4 >= all * 3)) || fail "the preferred candidate won only $preferred of $all"
pass
