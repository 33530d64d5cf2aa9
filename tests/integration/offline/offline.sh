# Sourced by the tests of sets at rest, after lib.sh. It knows the bytes of headers, and how to see that nothing was written.

: "${RESEAL:?the program that makes checksums right again}"

# header_put FILE OFFSET BYTES...: changes bytes of the header and of its copy, and makes both checksums right. BYTES are in octal.
header_put() {
    local file=$1 offset=$2 place bytes
    shift 2
    bytes=$(printf '\\%s' "$@")
    for place in 0 $(($(stat -c %s "$file") - 512)); do
        printf "$bytes" | dd of="$file" bs=1 seek=$((place + offset)) conv=notrunc status=none
        "$RESEAL" "$file" "$place" 512
    done
}

# zero FILE BLOCK [COUNT]: blocks of 512 bytes become zeros.
zero() {
    dd if=/dev/zero of="$1" bs=512 seek="$2" count="${3:-1}" conv=notrunc status=none
}

# sums FILE...: of their content, past what the page cache may hold.
sums() {
    local file
    for file; do
        dd if="$file" bs=64K iflag=direct status=none 2>/dev/null | sha256sum
    done
}

# leaves CODE COMMAND...: diskarch ends with that code, and no byte of $watched changes. Its output is refused.out and .err.
leaves() {
    local expected=$1 before
    shift
    before=$(sums "${watched[@]}")
    run refused "$DISKARCH" "$@"
    must_be "exit code of '$*'" "$code" "$expected"
    must_be "checksums after '$*'" "$(sums "${watched[@]}")" "$before"
}

# refuses CODE REGEX COMMAND...: and says so on stderr.
refuses() {
    local expected=$1 regex=$2
    shift 2
    leaves "$expected" "$@"
    must_say refused.err "$regex"
}
