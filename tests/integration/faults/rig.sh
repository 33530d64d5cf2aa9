# Sourced after lib.sh by the tests of faulty disks. It knows how to make disks that fail on command, and nothing of
# diskarch.
#
# A *view* is one host's path to a disk: a loop device over the file of a file system of faultfs.c, which serves an
# image. Two views of one image are two hosts with one disk, and what is done to one view is not seen in the other. Told
# to, a view fails, loses, tears, holds requests, or crawls; its server stopped, it hangs; its server continued, what
# hung is carried out, whoever has died meanwhile.
#
# rig_test proves each fault: a rig that cannot fail shows nothing.
#
# Environment, set by CMake: FAULTFS is the file system's program.
: "${FAULTFS:?the path of faultfs}"

readonly IMAGE_MIB=8

declare -A view_loop=() view_server=()

# image_make NAME: $work/NAME, written, not just sized.
image_make() {
    dd if=/dev/zero of="$work/$1" bs=1M count=$IMAGE_MIB status=none
}

rights_check() {
    if ((EUID != 0)) || [[ ! -c /dev/fuse ]] || ! losetup --find >/dev/null 2>&1; then
        echo "skipped: disks with faults need root, FUSE and the module loop" >&2
        exit "$SKIPPED"
    fi
}

# view_make VIEW IMAGE [SECTOR_BYTES]: sound at first. Its server dies with this shell, even if that is killed.
view_make() {
    local view=$1 directory=$work/$1.view
    rights_check
    mkdir "$directory"
    setpriv --pdeathsig KILL "$FAULTFS" "$work/$2" "$directory" >>"$work/$view.out" 2>>"$work/$view.err" &
    view_server[$view]=$!
    servers+=($!)
    wait_until "$DEADLINE_S" "the file served by $view" test -s "$directory/disk"
    mounts+=("$directory")
    loop_make "$directory/disk" "${3:-512}"
    view_loop[$view]=$loop
}

# view_break VIEW FAULT: a word of faultfs.c, or "hang".
view_break() {
    if [[ $2 == hang ]]; then
        kill -STOP "${view_server[$1]}"
    else
        echo "$2" >"$work/$1.view/control"
    fi
}

# view_mend VIEW: takes its fault back, whichever it is. What waited is carried out.
view_mend() {
    kill -CONT "${view_server[$1]}"
    echo sound >"$work/$1.view/control"
}

# view_count VIEW WORD: how many requests met the fault of that name since it was told so.
view_count() {
    awk -v word="$2" '$1 == word {print $2}' "$work/$1.view/control"
}

view_has_met() {
    (($(view_count "$1" "$2") >= $3))
}

# ---- Sets ------------------------------------------------------------------------------------------------------------

# Names the views, in this order, as the disks of a set: $disk and $disks.
disks_of_views() {
    local view
    disk=()
    for view; do
        disk+=("${view_loop[$view]}")
    done
    disks=$(join_by_comma "${disk[@]}")
}

# rig_make [SECTOR_BYTES]: three views a, b, c of the images a.image, b.image, c.image.
rig_make() {
    local name
    for name in a b c; do
        image_make "$name.image"
        view_make "$name" "$name.image" "${1:-512}"
    done
    disks_of_views a b c
}
