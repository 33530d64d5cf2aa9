# `diskarch check --repair`: damage is mended from the other disks, a disk that was counted out counts again, and a set that
# somebody lives on, or of which too much is gone, is left alone.
source "${BASH_SOURCE%/*}/../lib.sh"
source "${BASH_SOURCE%/*}/offline.sh"

files_make
set_format
export DISKARCH_DISKS=$disks
block_bytes=512

# state DISK-INDEX: what a node that joins now thinks of the disk; it leads for a moment.
state() {
    "$DISKARCH" status --json | jq -r ".disks[$1].state"
}

# roll_back PATH IMAGE: past the page cache, as nodes write.
roll_back() {
    dd if="$2" of="$1" bs=4096 conv=notrunc oflag=direct iflag=direct status=none
}

step "a set on which a node lives is refused, and not touched"
run role "$DISKARCH" lock db -- true
spawn node "$DISKARCH" campaign --node alpha db
wait_says node.out 'db: leader, epoch 2'
run live "$DISKARCH" check --repair
must_be "exit code" "$code" 5
must_say live.err 'alpha'
must_say node.out 'db: leader, epoch 2'
must_not_say node.out 'lost'

step "a disk that goes back in time is counted out, and stays so for all who come"
cp --sparse=never "${disk[2]}" "$work/image"
truncate -s %4096 "$work/image"
sleep 1
wait_out() {
    roll_back "${disk[2]}" "$work/image"
    sleep 0.5
    [[ $(state 2) == out ]]
}
wait_until "$DEADLINE_S" "disk 2 to be counted out" wait_out
must_say node.out 'OUT'
stop node
run later "$DISKARCH" lock db -- true
must_be "exit code" "$code" 0
must_be "the state of disk 2" "$(state 2)" out

step "repaired, it has everything and counts again"
run repair "$DISKARCH" check --repair
must_be "exit code" "$code" 0
must_say repair.err 'disk 2: [1-9][0-9]* blocks were written; it was counted out and counts again'
must_say repair.out '^verdict: healthy'
must_be "the state of disk 2" "$(state 2)" good
run epoch "$DISKARCH" leader --json db
must_be "the epoch, which never falls" "$(jq .epoch "$work/epoch.out")" 3
spawn node "$DISKARCH" campaign --node beta db
wait_says node.out 'db: leader, epoch 4'
DISKARCH_DISKS=${disk[2]} "$DISKARCH" dump --json >"$work/dump.json"
jq -e '.disks[].blocks[]? | select(.kind == "heartbeat" and .node == "beta")' "$work/dump.json" >"$work/beta.log" ||
    fail "beta does not write to the disk that was repaired"
stop node

step "damaged blocks and a damaged header are mended"
dd if=/dev/urandom of="${disk[0]}" bs=$block_bytes seek=40 count=70 conv=notrunc,fsync status=none
dd if=/dev/urandom of="${disk[1]}" bs=$block_bytes seek=0 count=1 conv=notrunc,fsync status=none
run damaged "$DISKARCH" check
must_be "exit code" "$code" 10
run mended "$DISKARCH" check --repair
must_be "exit code" "$code" 0
must_say mended.err 'disk 0: 7[0-9] blocks were written'
must_say mended.out '^verdict: healthy'

step "what is gone on too many disks is not made up"
for i in 0 1; do
    dd if=/dev/urandom of="${disk[i]}" bs=$block_bytes seek=200 count=1 conv=notrunc,fsync status=none
done
before=$(sums "${disk[@]}")
run lost "$DISKARCH" check --repair
must_be "exit code" "$code" 12
must_say lost.err 'is intact on 1 of the disks that count, and 2 are needed'
must_be "checksums" "$(sums "${disk[@]}")" "$before"

step "every disk must be there"
DISKARCH_DISKS=${disk[0]},${disk[1]} run absent "$DISKARCH" check --repair
must_say absent.err 'disk 2 is missing'
must_be "checksums" "$(sums "${disk[@]}")" "$before"
pass
