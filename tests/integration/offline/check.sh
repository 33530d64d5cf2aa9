# `diskarch check`: its exit code is the verdict. It works while nodes live on the set and without a majority, and writes nothing.
source "${BASH_SOURCE%/*}/../lib.sh"
source "${BASH_SOURCE%/*}/offline.sh"

files_make
set_format
export DISKARCH_DISKS=$disks
watched=("${disk[@]}")
run lock "$DISKARCH" lock db -- true

# checks CODE [REGEX...]: with nothing written.
checks() {
    local expected=$1 regex before
    shift
    before=$(sums "${watched[@]}")
    run check "$DISKARCH" check
    must_be "exit code of check" "$code" "$expected"
    for regex; do
        must_say check.out "$regex"
    done
    must_be "checksums after check" "$(sums "${watched[@]}")" "$before"
}

step "healthy, and what it rests on is what the protocol says"
checks 0 '^verdict: healthy' 'registers: 1 named, 1 of them proven' 'newest value on 3 of 3 disks: 1' 'one failure domain'
readme=${DISKARCH_MANUAL%/tools/*}/src/protocol/README.md
grep -oP '^\| \*\*\K[^*]*(?=\*\*)' <(sed -n '/^## Assumptions/,/^## Where/p' "$readme") >"$work/assumptions.log"
(($(wc -l <"$work/assumptions.log") >= 5)) || fail "the assumptions are not found in the README"
while read -r assumption; do
    grep -qF -- "- ${assumption}" "$work/check.out" || fail "check does not print '$assumption'"
done <"$work/assumptions.log"
(($(sed -n '/^What diskarch rests on/,$p' "$work/check.out" | wc -l) <= 30)) || fail "more than a screen"

step "while a node lives on it"
spawn node "$DISKARCH" campaign --node alpha db
wait_says node.out 'db: leader'
for ((i = 0; i < 5; i++)); do
    run live "$DISKARCH" check
    must_be "exit code of check" "$code" 0
done
stop node

step "damage that the others cover"
zero "${disk[0]}" 40
checks 10 "disk 0 ${disk[0]}: the block of slot 7 in the heartbeat row holds nothing but zeros" \
    '^verdict: damaged; a majority'
zero "${disk[1]}" 0
checks 10 'disk 1 .*: its header is gone, the copy is good; mend it by diskarch check --repair'
run opened "$DISKARCH" lock db -- true
must_be "exit code of lock with a damaged header" "$code" 0

step "damage that has to be mended"
zero "${disk[2]}" 40
checks 11 'the block of slot 7 in the heartbeat row is intact on 1 of 3 disks, 2 are needed' '^verdict: .* before it is mended'

step "damage by which data may be lost"
zero "${disk[0]}" 100
zero "${disk[1]}" 100
checks 12 'what was changed last there may be lost' '^verdict: .* data may be lost'
run json "$DISKARCH" check --json
must_be "exit code with --json" "$code" 12
must_be "verdict" "$(jq -r .verdict "$work/json.out")" lost
must_be "heaviest finding" "$(jq -c '[.findings[] | select(.weight == "lost") | .row, .slot]' "$work/json.out")" '[3,3]'

step "without a majority"
run few "$DISKARCH" check --disks "${disk[2]}"
must_be "exit code" "$code" 3
must_say few.out 'fewer than a majority of the disks are here: bring them back'
pass
