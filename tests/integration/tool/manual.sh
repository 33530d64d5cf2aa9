# The manual page says what --help says: the same verbs, the same options, the same exit codes in the same words, and nothing
# that --help does not know. The exit codes of --help are those of the header: both are made of one table.
source "${BASH_SOURCE%/*}/../lib.sh"

: "${DISKARCH_MANUAL:?the source of the manual page}"

# The text without its markup and examples, each run of blanks one space, so that line breaks do not matter.
sed '/^# EXAMPLES/,$d; s/[*\\]//g; s/_\([A-Z]\)/\1/g; s/\([A-Z]\)_/\1/g' "$DISKARCH_MANUAL" | tr '\n\t' '  ' | tr -s ' ' >"$work/manual.text"

manual_must_say() {
    grep -qF -- "$1" "$work/manual.text" || fail "the manual page does not say '$1'"
}

# The options named in a text, each once.
options_of() {
    grep -oE -- '--[a-z][a-z-]+' "$1" | sort -u
}

step "verbs"
run help "$DISKARCH" --help
mapfile -t verbs < <(sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p' "$work/help.out")
files=("${DISKARCH_MANUAL%/*}"/../diskarch/verb_*.c)
must_be "number of verbs, for each of which there is a file" "${#verbs[@]}" "${#files[@]}"
for verb in "${verbs[@]}"; do
    manual_must_say "diskarch $verb"
    grep -qx "# ${verb^^}" "$DISKARCH_MANUAL" || fail "the manual page has no section of $verb"
done

step "options"
cp "$work/help.out" "$work/all-help.text"
for verb in "${verbs[@]}"; do
    run verb "$DISKARCH" "$verb" --help
    cat "$work/verb.out" >>"$work/all-help.text"
done
diff <(options_of "$work/all-help.text") <(options_of "$work/manual.text") >"$work/options.log" ||
    fail "the options of --help (<) and of the manual page (>) differ"

step "each option of a verb stands in its own section, or among those of several verbs"
# section TITLE: its text, without markup.
section() {
    sed -n "/^# $1\$/,/^# /p" "$DISKARCH_MANUAL" | tr -d '*'
}
section "OPTIONS OF SEVERAL VERBS" >"$work/several.text"
for verb in "${verbs[@]}"; do
    run verb "$DISKARCH" "$verb" --help
    section "${verb^^}" >"$work/section.text"
    comm -23 <(sed -n '/^Options:/,$p' "$work/verb.out" >"$work/options.text"; options_of "$work/options.text") \
        <(cat "$work/several.text" "$work/section.text" >"$work/known.text"; options_of "$work/known.text") >"$work/missing.log"
    [[ ! -s $work/missing.log ]] || fail "the section of $verb does not tell these options"
done

step "exit codes"
sed -n '/^Exit codes:/,/^`/s/^  \([0-9]*\) *\(.*\)/\1 \2/p' "$work/help.out" >"$work/codes.log"
(($(wc -l <"$work/codes.log") >= 20)) || fail "--help lists too few exit codes"
while read -r number sentence; do
    grep -qiF -- " $number $sentence" "$work/manual.text" || fail "the manual page does not say '$number $sentence'"
done <"$work/codes.log"
pass
