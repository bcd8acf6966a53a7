# shellcheck shell=bash
# Images get into the lab from OCI image layouts; nothing is ever pulled.

# import_layout FOLDER - unless the same layout was imported before.
import_layout() {
    local mark began=$SECONDS
    [ -f "$1/index.json" ] || fail "$1 is not an OCI image layout (it has no index.json); make one with: make images"
    mark=$LAB/images/$(sha256sum "$1/index.json" | cut -c 1-16)
    if [ -e "$mark" ]; then return; fi
    tar -C "$1" -cf - . | ctr images import --local=false - >"$LAB/log/import.log" 2>&1 \
        || fail "the images of $1 could not be imported" "$LAB/log/import.log"
    : >"$mark"
    say "images of ${1#"$TOP/"} imported in $(took "$began")"
}

# import_images - those of the lab itself.
import_images() {
    "$TOP/.ci/images/build.sh" lab 2>"$LAB/log/images.log" || fail "the lab's images could not be written" "$LAB/log/images.log"
    import_layout "$TOP/target/images/lab"
}

lab_import() {
    (($#)) || fail "usage: lab import LAYOUT…"
    lock
    healthy || fail "the lab is not up; start it with: make lab-up"
    for layout in "$@"; do import_layout "${layout%/}"; done
}
