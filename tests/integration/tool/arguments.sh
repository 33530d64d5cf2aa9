# Command lines that cannot be used: each ends with 2, says nothing on stdout, and on stderr names the thing, the reason and
# the remedy. None of them may touch a disk.
source "${BASH_SOURCE%/*}/../lib.sh"

readonly good=(--disks "$work/a,$work/b,$work/c")

# refuses REGEX ARGUMENT...
refuses() {
    local regex=$1
    shift
    run refused "$DISKARCH" "$@"
    must_be "exit code of '$*'" "$code" 2
    [[ ! -s $work/refused.out ]] || fail "'$*' writes to stdout"
    must_say refused.err "$regex"
    must_say refused.err 'Try `diskarch'
}

step "verbs and options"
refuses 'no verb is given; ' # nothing at all
refuses 'verb "elect" is not known; choose' elect
refuses 'option "--fast" is not known' status "${good[@]}" --fast
refuses 'option "-x" is not known' lock "${good[@]}" -x r -- true
refuses 'option "--lease" needs a value; give' format "${good[@]}" --lease
refuses 'option "--disks" needs a value' leader --disks
refuses 'engine: "floppy" is not known; choose auto' status "${good[@]}" --engine floppy

step "disks"
unset DISKARCH_DISKS DISKARCH_SET
refuses 'no disks are named; give --disks' status
DISKARCH_DISKS='' refuses 'no disks are named; give --disks' status
refuses 'disks: a path in the list is empty; write' status --disks "a,,b"
DISKARCH_DISKS='a,' refuses 'DISKARCH_DISKS: a path in the list is empty' status
refuses 'disks and --set are both given; give one' status "${good[@]}" --set demo
refuses 'option "--set" is not known to' format --set demo
refuses 'no disks are named; give --disks A,B,C or set DISKARCH_DISKS' format
DISKARCH_SCAN='a,,b' refuses 'DISKARCH_SCAN: a path in the list is empty; name' status --set demo
refuses 'more than 64 disks' status --disks "$(join_by_comma {1..65})"
run many "$DISKARCH" format --disks "$(join_by_comma "$work"/{1..11})"
must_be "exit code of eleven disks" "$code" 2
must_say many.err '11 are named; name 1 to 9'

step "durations"
refuses 'lease: "10" has no unit; write it as' format "${good[@]}" --lease 10
refuses 'lease: "" is not a duration; write' format "${good[@]}" --lease ''
refuses 'lease: "-1s" is not a duration' format "${good[@]}" --lease -1s
refuses 'lease: "s" is not a duration' format "${good[@]}" --lease s
refuses 'lease: "1.5s" has a fraction; write a smaller unit' format "${good[@]}" --lease 1.5s
refuses 'renew: "1 s" has an unknown unit; write ms' format "${good[@]}" --renew '1 s'
refuses 'renew: "1sec" has an unknown unit' format "${good[@]}" --renew 1sec
refuses 'quarantine: "9223372036854775807s" is longer' format "${good[@]}" --quarantine 9223372036854775807s
refuses 'quarantine: "99999999999999999999s" is longer' format "${good[@]}" --quarantine 99999999999999999999s
refuses 'io-deadline: "0x10s" has an unknown unit' format "${good[@]}" --io-deadline 0x10s
refuses 'timeout: "forever" is not a duration' lock "${good[@]}" -w forever r -- true
refuses 'grace: "1" has no unit' lock "${good[@]}" --grace 1 r -- true

step "counts and rates"
refuses 'slots: "1" is not a whole number from 2 to 4096' format "${good[@]}" --slots 1
refuses 'slots: "4097" is not a whole number' format "${good[@]}" --slots 4097
refuses 'slots: "12x" is not a whole number' format "${good[@]}" --slots 12x
refuses 'slots: "" is not a whole number' format "${good[@]}" --slots ''
refuses 'registers: "0" is not a whole number' format "${good[@]}" --registers 0
refuses 'registers: "99999999999999999999" is not' format "${good[@]}" --registers 99999999999999999999
refuses 'block-size: "100" is not a whole number' format "${good[@]}" --block-size 100
refuses 'conflict-exit-code: "256" is not' lock "${good[@]}" -E 256 r -- true
refuses 'priority: "101" is not a whole number from 0 to 100' lock "${good[@]}" --priority 101 r -- true
refuses 'priority: "-1" is not' campaign "${good[@]}" --priority -1 r
refuses 'payload: 129 bytes are too many; give at most 128' lock "${good[@]}" --payload "$(printf 'x%.0s' {1..129})" r -- true
refuses 'clock-drift: "5" is not a rate; write it as 0.5%' format "${good[@]}" --clock-drift 5
refuses 'clock-drift: "0.5" is not a rate' format "${good[@]}" --clock-drift 0.5
refuses 'clock-drift: "101%" is more than all' format "${good[@]}" --clock-drift 101%
refuses 'slot-reuse: "always" is not known; choose' format "${good[@]}" --slot-reuse always

step "names"
refuses 'name of the role is empty; give' leader "${good[@]}" ''
refuses 'role name ".*" is too long; give at most 63' leader "${good[@]}" "$(printf 'x%.0s' {1..64})"
refuses 'role name "a.xffb" is not UTF-8' leader "${good[@]}" $'a\xffb'
refuses 'role name "a.x1bb" has a character that cannot be printed' leader "${good[@]}" $'a\x1bb'
refuses 'node name "a.x0ab" has a character' campaign "${good[@]}" --node $'a\nb' r
refuses 'set name "a.xc2.x9bb" has a character' format "${good[@]}" --name $'a\xc2\x9bb'
refuses 'name of the role is empty' lock "${good[@]}" a,,b -- true
refuses 'role "a" is named twice; name each role once' lock "${good[@]}" a,b,a -- true

step "arguments"
refuses 'no role is named; name one' lock "${good[@]}"
refuses 'no command is given; name one' lock "${good[@]}" r
refuses 'no command is given; name one' lock "${good[@]}" r --
refuses '0 roles are named; name one' leader "${good[@]}"
refuses '2 roles are named; name one' campaign "${good[@]}" a b
refuses '"more" is one argument too many' status "${good[@]}" more
refuses '"more" is one argument too many' format "${good[@]}" more
refuses '"more" is one argument too many' roles "${good[@]}" more
refuses '"more" is one argument too many' nodes "${good[@]}" more
refuses '"more" is one argument too many' dump "${good[@]}" more
refuses '"more" is one argument too many' check "${good[@]}" more
refuses '"more" is one argument too many' tune "${good[@]}" more
refuses 'slot-reuse: "always" is not known; choose' tune "${good[@]}" --slot-reuse always
refuses 'clock-drift: "5" is not a rate' tune "${good[@]}" --clock-drift 5

refuses '2 roles are named; name one' resign "${good[@]}" a b
refuses '0 roles are named; name one' request "${good[@]}"
refuses '1 names are given; name the role and the node' transfer "${good[@]}" a
refuses 'node name "a.x0ab" has a character' transfer "${good[@]}" r $'a\nb'
refuses '0 roles are named; name one' forget "${good[@]}"
refuses 'timeout: "5" has no unit; write' resign "${good[@]}" -w 5 r

step "registers"
refuses 'nothing to do is given; say get' register "${good[@]}"
refuses '"put" is not known; choose get, set, cas or propose' register "${good[@]}" put r x
refuses 'get: 2 arguments are given; .* takes 1 of NAME' register "${good[@]}" get r x
refuses 'set: 1 arguments are given; .* takes 2 of NAME VALUE' register "${good[@]}" set r
refuses 'cas: 2 arguments are given; .* takes 3 of NAME EXPECTED VALUE' register "${good[@]}" cas r x
refuses 'cas: 3 arguments are given; .* takes 2' register "${good[@]}" cas --create r x y
refuses 'name of the register is empty; give' register "${good[@]}" get ''
refuses 'register name "a.x1bb" has a character that cannot be printed' register "${good[@]}" get $'a\x1bb'
refuses 'register name ".*" is too long; give at most 63' register "${good[@]}" get "$(printf 'x%.0s' {1..64})"
refuses 'argument: the value is too long; give at most 128' register "${good[@]}" set r "$(printf 'x%.0s' {1..129})"
refuses 'argument: the value is too long' register "${good[@]}" --hex set r "$(printf '00%.0s' {1..129})"
refuses '"abc" is not hexadecimal; write two digits' register "${good[@]}" --hex set r abc
refuses '"0x41" is not hexadecimal' register "${good[@]}" --hex set r 0x41
refuses 'no-such-file: the value cannot be read: No such file' register "${good[@]}" set r --file "$work/no-such-file"
printf 'x%.0s' {1..129} >"$work/long"
refuses 'long: the value is too long; give at most 128' register "${good[@]}" set r --file "$work/long"
refuses 'standard input: the value is too long' register "${good[@]}" set r - <"$work/long"
refuses 'standard input is named twice' register "${good[@]}" cas r - -
refuses 'file: get takes no value; leave it out' register "${good[@]}" get r --file "$work/long"
refuses 'create: set expects no value anyway' register "${good[@]}" set r x --create

step "nothing was touched"
! ls "$work" | grep -qxE '[a-c]' || fail "a file was created"

step "help and version"
run help "$DISKARCH" --help
must_be "exit code of --help" "$code" 0
for verb in format lock campaign status leader roles nodes watch resign request transfer forget register dump scan check tune; do
    must_say help.out "^  $verb "
    run verb "$DISKARCH" "$verb" --help
    must_be "exit code of $verb --help" "$code" 0
    must_say verb.out "^Usage: diskarch $verb "
    must_say verb.out '--help '
done
run version "$DISKARCH" --version
must_say version.out '^diskarch [0-9]+\.[0-9]+\.[0-9]+$'
run full "$DISKARCH" --help >/dev/full
must_be "exit code of --help to a file" "$code" 0
pass
