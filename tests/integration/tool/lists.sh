# What `roles`, `nodes`, `leader` and `watch` show: payloads, liveness, hand-overs; names and payloads from disks are escaped.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

# The named field of a role.
role_field() {
    "$DISKARCH" roles --json | jq -r ".[] | select(.name == \"$1\") | $2"
}

has_payload() {
    [[ $(role_field "$1" .payload) == "$2" ]]
}

step "nothing yet"
must_be "roles" "$("$DISKARCH" roles --json)" "[]"
must_be "nodes" "$("$DISKARCH" nodes --json)" "[]"

spawn watch "$DISKARCH" watch --json
spawn words "$DISKARCH" watch r

step "a leader and what it publishes"
spawn alpha "$DISKARCH" campaign --node alpha --payload 'http://alpha:80/' r
wait_says alpha.out 'r: leader, epoch 1'
must_be "the payload" "$("$DISKARCH" leader --payload r)" http://alpha:80/
must_be "the leader" "$("$DISKARCH" leader r)" alpha
must_be "the payload by JSON" "$("$DISKARCH" leader --json r | jq -r .payload)" http://alpha:80/
run roles "$DISKARCH" roles
must_say roles.out '^ROLE +STATE +LEADER +EPOCH +SINCE +LIVENESS +PAYLOAD$'
must_say roles.out '^r +held +alpha +1 +[0-9-]+ [0-9:]+ +alive +http://alpha:80/$'
run status "$DISKARCH" status
must_say status.out '^r +held +alpha +1 .*http://alpha:80/$'
must_say status.out '^DISK +STATE +LATENCY +PATH$'
must_say status.out '^0 +(good|slow) +[0-9.]+ m?s +'
run nodes "$DISKARCH" nodes
must_say nodes.out '^NODE +SLOT +INCARNATION +STATE +LIVENESS +ENGINE +STARTED$'
must_say nodes.out '^alpha +[0-9]+ +[0-9a-f]{16} +ready +alive +(io_uring|libaio) +'
must_be "the states of the disks" "$("$DISKARCH" status --json | jq '.disks | map(.state | test("good|slow")) | all')" true

step "names and payloads cannot speak to the terminal"
spawn rude "$DISKARCH" campaign --node rude --payload $'\x1b[2J\xe2\x80\xaetext' s
wait_says rude.out 's: leader'
run roles "$DISKARCH" roles
must_say roles.out '^s +held +rude .*\\x1b\[2J\\xe2\\x80\\xaetext$'
must_be "its JSON" "$(role_field s .payload_hex)" 1b5b324ae280ae74657874
spawn binary "$DISKARCH" campaign --node binary --payload $'\xff\xfe' t
wait_says binary.out 't: leader'
must_be "a payload that is no text" "$("$DISKARCH" leader --json t | jq -c '[.payload, .payload_hex]')" '[null,"fffe"]'
stop rude binary

step "a hand-over and the next payload, in order"
spawn beta "$DISKARCH" campaign --node beta --payload 'http://beta:80/' r
wait_says beta.out 'candidate; held by alpha'
run transfer "$DISKARCH" transfer r beta
must_be "exit code of transfer" "$code" 0
join alpha
wait_until "$DEADLINE_S" "beta's payload" has_payload r http://beta:80/
must_be "the epoch" "$(role_field r .epoch)" 2
stop beta
must_be "who led last leaves no liveness" "$(role_field r .holder_liveness)" null
must_be "the state" "$(role_field r .state)" free

step "a node that dies is silent, then dead; one that leaves has left"
spawn doomed "$DISKARCH" campaign --node doomed r
wait_says doomed.out 'r: leader, epoch 3'
spawn heir "$DISKARCH" campaign --node heir r
wait_says heir.out 'candidate; held by doomed'
kill_hard doomed
wait_says heir.out 'r: leader, epoch 4'
must_be "the dead one" "$("$DISKARCH" nodes --json | jq -r '.[] | select(.name == "doomed") | .dead')" true
must_be "the one that left" "$("$DISKARCH" nodes --json | jq -r '.[] | select(.name == "beta") | .liveness')" left
stop heir
run forget "$DISKARCH" forget r
must_be "exit code of forget" "$code" 0

step "a disk that fails is named, with the reason, by those who look and by those who campaign"
spawn keeper "$DISKARCH" campaign --node keeper u
wait_says keeper.out 'u: leader'
spawn locker "$DISKARCH" lock --node locker -v v -- sh -c 'echo running; exec sleep 1000'
wait_says locker.out running
truncate -s 0 "$work/disk3"
wait_says watch.out '"index": *2.*"state": *"failed"'
run status "$DISKARCH" status
must_be "exit code of status" "$code" 0
must_say status.out '^disks: 2 of 3 good, 2 needed$'
must_say status.out '^2 +FAILED +'
must_say status.out '^ {6}[^ ]'
must_be "its JSON" "$("$DISKARCH" status --json | jq -c '.disks[2] | [.good, .state, (.reason | length > 0)]')" '[false,"failed",true]'

wait_says keeper.out '^keeper: disk 2 [^ ]*/disk3: FAILED: .+; '
wait_says locker.err '^diskarch lock: disk 2 [^ ]*/disk3: FAILED: .+; '
must_not_say keeper.out 'lost'
stop keeper locker

step "watch has told every change of the role, once and in order"
wait_says watch.out '"state": *"forgotten"'
wait_says words.out 'role r: forgotten, last epoch 4'
stop watch words
changes() {
    jq -rs 'map(select(.kind == "role" and .name == "r")) | map("\(.epoch) \(.holder)") | .[]' "$work/watch.out" | uniq | tr '\n' ';'
}
must_be "epochs and holders" "$(changes)" "1 alpha;2 beta;2 null;3 doomed;4 heir;4 null;"
must_say watch.out '"payload": *"http://beta:80/"'
must_be "lines of another role" "$(count words.out 'role s')" 0
must_say words.out 'role r: held by alpha, epoch 1, .*, publishes http://alpha:80/$'
must_be "the death of a node" "$(jq -rs 'map(select(.kind == "node" and .name == "doomed" and .dead)) | length' "$work/watch.out")" 1
pass
