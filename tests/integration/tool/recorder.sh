# The flight recorder: what a real node has saved leads to the same actions again, in the simulator's program and in `dump`.
source "${BASH_SOURCE%/*}/../lib.sh"
simulator=$1

files_make
set_format
export DISKARCH_DISKS=$disks

step "a take-over, a disk lost, and a resignation"
spawn beta "$DISKARCH" campaign --node beta r
wait_says beta.out '^r: leader, epoch 1$'
spawn alpha "$DISKARCH" campaign --node alpha --recorder "$work/alpha.rec" r
wait_says alpha.out 'beta'
kill_hard beta
wait_says alpha.out '^r: leader, epoch 2$'
truncate -s 0 "$work/disk3"
sleep 2
stop alpha
must_say alpha.out '^r: released$'

step "the same build comes to the same actions"
run replay "$simulator" --replay "$work/alpha.rec"
must_be "exit code" "$code" 0
must_say replay.out ' 0 of them with other actions'
(($(sed -n 's/.* \([0-9]*\) steps,.*/\1/p' "$work/replay.out") > 50)) || fail "hardly any steps were recorded"

step "dump tells it in words"
run dump "$DISKARCH" dump --recorder "$work/alpha.rec"
must_be "exit code" "$code" 0
must_say dump.out '^node alpha of set test'
must_say dump.out '= leader: role 0, epoch 2'
must_say dump.out 'FAILED'

step "nothing is overwritten, and what is no recording is refused"
cksum <"$work/alpha.rec" >"$work/before"
spawn again "$DISKARCH" campaign --node alpha --recorder "$work/alpha.rec" r
wait_says again.out '^r: leader, epoch 3$'
stop again
must_say again.err 'alpha.rec: File exists'
cmp "$work/before" <(cksum <"$work/alpha.rec") || fail "the recording was overwritten"
run other "$DISKARCH" dump --recorder "$work/disk1"
must_be "exit code" "$code" 2
must_say other.err 'it is no recording of a node'
head -c 100000 "$work/alpha.rec" >"$work/short.rec"
run short "$DISKARCH" dump --recorder "$work/short.rec"
must_be "exit code" "$code" 2
pass
