# `diskarch register`: what it prints, its exit codes, values of any bytes, and what is refused. Nothing that is refused
# changes a value.
source "${BASH_SOURCE%/*}/../lib.sh"

files_make
set_format
export DISKARCH_DISKS=$disks

# register EXIT_CODE OUTPUT ARGUMENT...: what stands on stdout; empty for nothing.
register() {
    local wanted_code=$1 wanted=$2
    shift 2
    run register "$DISKARCH" register "$@"
    must_be "exit code of 'register $*'" "$code" "$wanted_code"
    must_be "output of 'register $*'" "$(cat "$work/register.out")" "$wanted"
}

step "get, set, and the version"
register 1 "" get n
must_say register.err 'register "n": it does not exist; .* a first set or propose a register'
register 0 "1 first" set n first
register 0 "1 first" get n
register 0 "2 second value" set n 'second value'
register 0 "2 second value" get n

step "compare and set"
register 0 "3 third" cas n 'second value' third
register 14 "3 third" cas n 'second value' fourth
must_say register.err 'register "n": the value is not the expected one; what stands there is printed'
register 14 "3 third" cas --create n fourth
register 0 "1 made" cas --create m made
register 0 "3 third" get n

step "agree once"
register 0 "1 mine" propose p mine
register 0 "1 mine" propose p theirs
register 0 "1 mine" get p
register 4 "" set p theirs
must_say register.err 'register "p": the name belongs to another kind of value; choose another name'
register 4 "" propose n x

step "any bytes: from a pipe, from a file, in hexadecimal, as they are"
printf 'a\0b\n\xff\\' >"$work/binary"
register 0 '4 a\x00b\x0a\xff\\' set n - <"$work/binary"
register 0 '5 a\x00b\x0a\xff\\' set n --file "$work/binary"
register 0 '5 6100620aff5c' --hex get n
run raw "$DISKARCH" register get n --raw
cmp "$work/raw.out" "$work/binary" || fail "--raw prints other bytes"
register 0 '6 0aff' --hex cas n 6100620AFF5C 0aff
register 0 '7 ' set n ''
register 0 '8 -x' set n -- -x
must_be "JSON of text" "$("$DISKARCH" register get n --json | jq -c '[.name, .version, .value, .value_hex]')" '["n",8,"-x","2d78"]'
register 0 '9 ff' --hex set n ff
must_be "JSON of what is no text" "$("$DISKARCH" register get n --json | jq -c '[.value, .value_hex]')" '[null,"ff"]'

step "128 bytes fit, 129 do not, and nothing is changed"
long=$(printf 'x%.0s' {1..128})
register 0 "10 $long" set n "$long"
register 2 "" set n "${long}x"
register 2 "" cas n "$long" "${long}x"
register 0 "10 $long" get n

step "roles are no registers, nor registers roles"
run role "$DISKARCH" lock r -- true
register 4 "" get r
must_say register.err 'register "r": the name belongs to another kind'
register 4 "" set r x
run lock "$DISKARCH" lock n -- echo started
must_be "exit code of lock" "$code" 4
must_not_say lock.out started
must_be "the roles that are listed" "$("$DISKARCH" roles --json | jq -r '.[].name' | tr '\n' ' ')" "r "

step "every register has a name: the next one is refused, those that exist go on"
for ((i = 0; i < 16; i++)); do
    run fill "$DISKARCH" register set "fill$i" x
    ((code == 4)) && break
done
must_be "exit code of the one too many" "$code" 4
must_say fill.err 'register "fill[0-9]+": every register has a name; format a set with more --registers'
register 0 "11 on" set n on

step "without a majority of the disks nothing is done, and the time is kept"
truncate -s 0 "$work/disk1" "$work/disk2"
run lost "$DISKARCH" register set n off -w 2s
must_be "exit code" "$code" 3
pass
