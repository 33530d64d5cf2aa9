# A11, on whole files: a set of an invented version 1.1 works as one of 1.0, what 1.1 has added being left alone; one of version 2.0 is
# refused by its name by every verb, and nothing is written to it.
source "${BASH_SOURCE%/*}/../lib.sh"
source "${BASH_SOURCE%/*}/offline.sh"

files_make
set_format
export DISKARCH_DISKS=$disks
watched=("${disk[@]}")

step "1.1 in headers and blocks"
for file in "${disk[@]}"; do
    header_put "$file" 10 001 000
    header_put "$file" 400 253 315 357
    for ((block = 1; block < 20; block++)); do
        printf '\001' | dd of="$file" bs=1 seek=$((block * 512 + 10)) conv=notrunc status=none
        "$RESEAL" "$file" $((block * 512)) 512
    done
done
run first "$DISKARCH" lock r -- true
must_be "exit code of lock" "$code" 0
run status "$DISKARCH" status --json
must_be "format" "$(jq -c '[.set.format_major, .set.format_minor]' "$work/status.out")" '[1,1]'
must_be "epoch" "$(jq .roles[0].epoch "$work/status.out")" 1
run check "$DISKARCH" check
must_be "exit code of check" "$code" 0
must_be "what 1.1 has added" "$(dd if="${disk[0]}" bs=1 skip=400 count=3 status=none | od -An -tx1 | tr -d ' ')" abcdef
refuses 3 'format 1.1, of which this program does not know everything; tune it with that version' tune --lease 2s

step "2.0 on one disk"
header_put "${disk[1]}" 8 002 000 000 000
for verb in status dump check "leader r" "lock -n r -- true" "campaign r" "tune --lease 2s"; do
    refuses 3 "${disk[1]}: its set has format 2.0, this program knows 1; upgrade diskarch" $verb
done
run scan "$DISKARCH" scan "$work"
must_say scan.out 'newer format 2.0; upgrade'
refuses 3 'newer format 2.0, and whether it is in use cannot be seen; format it with that version' \
    format --slots 32 --registers 16 --force test --force unknown-data
pass
