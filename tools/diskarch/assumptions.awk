# Makes a C table of the assumptions in src/protocol/README.md, so that what `diskarch check` prints is what stands there.
/^## / { is_inside = $0 == "## Assumptions" }
is_inside && /^\| \*\*/ {
    gsub(/\*|`/, "")
    gsub(/\\|"/, "\\\\&")
    split($0, cells, / *\| */)
    printf "{\"%s\",\n \"%s\"},\n", cells[2], cells[3] >output
}
