# Bad input, through the command: each refusal has an exit code other than 0, names thing, reason and remedy, and writes nothing.
source "${BASH_SOURCE%/*}/../lib.sh"
source "${BASH_SOURCE%/*}/offline.sh"

files_make
set_format --registers 2 --slots 2
cp "${disk[0]}" "$work/disk1.whole"
export DISKARCH_DISKS=$disks
a=${disk[0]} b=${disk[1]} c=${disk[2]}
other=$(join_by_comma "$work"/other{1,2,3})
run other "$DISKARCH" format --disks "$other" --name other --lease 1s
watched=("${disk[@]}" "$work/other1")

step "disks in any order, a majority of them"
for order in "$a,$b,$c" "$c,$a,$b" "$b,$c,$a" "$c,$b"; do
    run any "$DISKARCH" lock --disks "$order" r -- true
    must_be "exit code with $order" "$code" 0
done

# Every verb that opens a set refuses it, in the same words.
every_verb_refuses() {
    local expected=$1 regex=$2 list=$3 verb
    for verb in status "leader r" "lock -n r -- true" dump check; do
        refuses "$expected" "$regex" ${verb%% *} --disks "$list" ${verb#"${verb%% *}"}
    done
}

step "disks that do not belong together"
every_verb_refuses 3 "$work/other1: belongs to set \"other\" .*, but $a to set \"test\" .*; name the disks of one set only" \
    "$a,$b,$work/other1"
cp "$a" "$work/copy"
every_verb_refuses 3 "$a and $work/copy: both are disk 0 .*: two paths to one device, or a copy; name one of them" \
    "$a,$b,$work/copy"
ln -s "$a" "$work/symbolic"
every_verb_refuses 2 "$a and $work/symbolic: two names of one file; name each disk once" "$a,$work/symbolic,$b"
every_verb_refuses 2 "$a: named twice; name each disk once" "$a,$a,$b"
header_put "$work/copy" 32 002
every_verb_refuses 3 "$work/copy: has generation 2 of set \"test\", but $b has 1; leave out the older one" "$b,$c,$work/copy"
cp "$a" "$work/short"
truncate -s -512 "$work/short"
every_verb_refuses 3 "$work/short: geometry: [0-9]+ bytes, the set needs [0-9]+; it was cut short" "$work/short,$b,$c"
header_put "$work/copy" 32 001
header_put "$work/copy" 56 000 000 000
refuses 3 "$b and $work/copy: their headers disagree about set \"test\"; leave out the one" \
    lock --disks "$b,$c,$work/copy" -n r -- true
leaves 11 check --disks "$b,$c,$work/copy"
must_say refused.out "disk 0 $work/copy: its timings are not those of other disks"
refuses 3 '1 of 3 disks can be used, 2 are needed; name more of them or bring them back' lock --disks "$a" -n r -- true
refuses 3 'none is a diskarch disk; check the paths, or run diskarch format first' status --disks "$work/format.out"
refuses 3 'none can be opened and answers; check the paths' status --disks "$work/none1,$work/none2"

step "names"
long=$(printf 'x%.0s' {1..64})
refuses 2 'role name "x+" is too long; give at most 63 bytes' lock -n "$long" -- true
refuses 2 'the name of the role is empty; give 1 to 63 bytes' leader ''
refuses 2 'role name ".*x1b.*" has a character that cannot be printed; give printable' lock -n $'\e[31mred' -- true
refuses 2 'node name "a.x07" has a character that cannot be printed; give printable' campaign --node $'a\a' r
refuses 2 'set name ".*" has a character that cannot be printed' format --disks "$work/new" --name $'\e]0;title\a'
refuses 2 'set name "x+" is too long; give at most 63' format --disks "$work/new" --name "$long"
refuses 2 'the name of the set is empty; give 1 to 63' format --disks "$work/new" --name ''
[[ ! -e $work/new ]] || fail "a file was created"
! grep -q $'[\e\a]' "$work/refused.err" || fail "a control character reached the terminal"

step "names with terminal escapes that stand on disks: not a header that counts"
cp "$b" "$work/hostile"
header_put "$work/hostile" 112 033 133 062 112
run hostile "$DISKARCH" status --disks "$a,$c,$work/hostile"
must_say hostile.err 'failure domain'
! grep -q $'\e' "$work/hostile.out" "$work/hostile.err" || fail "an escape reached the terminal"
run hostile_json "$DISKARCH" status --json --disks "$a,$c,$work/hostile"
must_be "disks in use" "$(jq '[.disks[] | select(.good)] | length' "$work/hostile_json.out")" 2

step "full role table"
run second "$DISKARCH" lock s -- true
run full "$DISKARCH" lock -n t -- true
must_be "exit code of a third name" "$code" 4
must_say full.err 'every register has a name; use one of them, or format a set with more registers'
run still "$DISKARCH" lock r -- true
must_be "exit code of a name that is there" "$code" 0

step "every slot taken"
spawn one "$DISKARCH" campaign --node one r
wait_says one.out 'r: leader'
spawn two "$DISKARCH" campaign --node two r
wait_says two.out 'r: candidate'
spawn three "$DISKARCH" campaign --node three s
wait_says three.out 'waiting to join: no slot is free: .*a set formatted with more slots has room'
must_not_say three.out 'joined'
stop three two one

step "damaged header with a good copy, damaged blocks"
zero "$a" 0
run copy "$DISKARCH" lock r -- true
must_be "exit code with a header from its copy" "$code" 0
zero "$a" 0
leaves 10 check
must_say refused.out "disk 0 $a: its header is gone, the copy is good; mend it"
dd if="$work/disk1.whole" of="$a" bs=512 count=1 conv=notrunc status=none
zero "$b" 1 10
run damaged "$DISKARCH" lock r -- true
must_be "exit code with one disk's blocks damaged" "$code" 0

step "no direct I/O"
if ((EUID == 0)); then
    mkdir "$work/ramfs"
    mount -t ramfs none "$work/ramfs"
    mounts+=("$work/ramfs")
    cp "$a" "$work/ramfs/a"
    refuses 6 "$work/ramfs/a: no direct I/O on ramfs file system; use a block device, or put the file on a local disk" \
        status --disks "$work/ramfs/a,$b,$c"
    refuses 6 'no direct I/O on ramfs file system' format --disks "$work/ramfs/new"
    [[ ! -e $work/ramfs/new ]] || fail "a file was left on the ramfs"
fi
pass
