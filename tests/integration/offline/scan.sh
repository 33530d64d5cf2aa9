# `diskarch scan` and --set: sets are found by what stands on the disks, and every doubt is told.
source "${BASH_SOURCE%/*}/../lib.sh"
source "${BASH_SOURCE%/*}/offline.sh"

# make_set DIRECTORY NAME DISK...
make_set() {
    local directory=$1 name=$2
    shift 2
    mkdir -p "$work/$directory"
    disks=$(join_by_comma "${@/#/$work/$directory/}")
    set_format --name "$name"
}

scan() {
    run scan "$DISKARCH" scan --json "$@"
    must_be "exit code of scan" "$code" 0
}

# scan_says JQ-FILTER VALUE
scan_says() {
    must_be "$1" "$(jq -c "$1" "$work/scan.out")" "$2"
}

make_set one alpha c a b
make_set two beta x y z
unset DISKARCH_DISKS DISKARCH_SET DISKARCH_SCAN

step "sets in directories, disks by their index"
scan "$work/one" "$work/two"
scan_says '[.sets[].set.name]' '["alpha","beta"]'
scan_says '[.sets[0].disks[] | .index, .state]' '[0,"usable",1,"usable",2,"usable"]'
must_be "disk 0 of alpha" "$(jq -r '.sets[0].disks[0].path' "$work/scan.out")" "$work/one/c"
echo "no disk" >"$work/one/letter"
scan "$work/one"
scan_says '.others' '[]'
scan "$work/one/letter"
scan_says '[.others[].state]' '["no_disk"]'

step "--set by name, by UUID, from the environment"
uuid=$(jq -r '.sets[0].set.uuid' <("$DISKARCH" scan --json "$work/two"))
export DISKARCH_SCAN=$work/one,$work/two
run named "$DISKARCH" lock --set beta r -- sh -c 'echo "$DISKARCH_SET"; "$0" leader r' "$DISKARCH"
must_say named.out '^beta$'
must_be "the leader inside, the set coming from lock" "$(sed -n 2p "$work/named.out")" "$(uname -n)"
run by_uuid "$DISKARCH" status --json --set "${uuid^^}"
must_be "name" "$(jq -r .set.name "$work/by_uuid.out")" beta
DISKARCH_SET=alpha run by_environment "$DISKARCH" status --json
must_be "name" "$(jq -r .set.name "$work/by_environment.out")" alpha
DISKARCH_SET=alpha DISKARCH_DISKS=$disks run by_disks "$DISKARCH" status --json
must_be "name, as paths win over a name" "$(jq -r .set.name "$work/by_disks.out")" beta
watched=("$work/one/a" "$work/two/x")
refuses 3 'set "gamma": no disk of it was found; name its disks by --disks' status --set gamma

step "several sets of one name"
make_set three alpha p q r
export DISKARCH_SCAN=$work/one,$work/two,$work/three
refuses 2 'set "alpha": several sets have this name; give the UUID of one of them: .* \(3 of 3 disks' lock --set alpha r -- true
third=$(jq -r '.sets[0].set.uuid' <("$DISKARCH" scan --json "$work/three"))
must_say refused.err "$third"
run third "$DISKARCH" lock --set "$third" r -- true
must_be "exit code by UUID" "$code" 0

step "a copy, an older generation, a damaged header, a short disk, a disk that cannot be read"
cp "$work/two/y" "$work/two/copy"
scan "$work/two"
scan_says '.sets[0].usable_count' 2
scan_says '[.sets[0].disks[] | select(.state == "twin") | .index]' '[1,1]'
refuses 3 'set "beta": .*/two/(copy|y): .* is disk 1 of the set too: a second path to it, or a copy' status --set beta
header_put "$work/two/copy" 32 000
scan "$work/two"
scan_says '.sets[0].usable_count' 3
scan_says '[.sets[0].disks[] | select(.state == "old_generation") | .generation]' '[0]'
run old "$DISKARCH" status --json --set beta
must_be "exit code beside an older generation" "$code" 0
rm "$work/two/copy"
zero "$work/two/x" 0
truncate -s -4096 "$work/two/z"
scan "$work/two"
scan_says '[.sets[0].disks[] | .state]' '["usable","usable","unfit"]'
scan_says '.sets[0].disks[0].reason | contains("the copy of it is good")' true
run words "$DISKARCH" scan "$work/two"
must_say words.out 'not used: it has [0-9]+ bytes, the set needs [0-9]+'
scan "$work/nothing/here"
scan_says '.others[0].reason | contains("No such file")' true

step "two names of one file are one disk"
ln -s "$work/one/a" "$work/one/zz-link"
ln "$work/one/b" "$work/one/zz-hard"
scan "$work/one"
scan_says '.sets[0].usable_count' 3
scan_says '.sets[0].disks | length' 3
pass
