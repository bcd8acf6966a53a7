# shellcheck shell=bash
# Taking the lab down: whatever state it is in, whoever left it there. Only what the lab made is touched: processes of its
# own cgroup, its own cable, its own folder, and those of the folders in run/folders that it created.

clean() {
    local processes
    end_processes
    remove_cable
    processes=$(cgroup_processes)
    [ -z "$processes" ] || fail "processes of the lab do not end: $(tr '\n' ' ' <<<"$processes"); look at them with: ps -fp <number>"
    wait_for 20 "the lab's cgroups can not be removed" "" remove_cgroups
    remove_files
}

end_processes() {
    local pid
    # The end of the first process is the end of all, mounts and network included.
    if lives "$LAB/run/node"; then
        read -r pid _ <"$LAB/run/node"
        kill -KILL "$pid" 2>/dev/null || true
    fi
    # What is left in the cgroup is what was on its way into the namespaces when `up` was killed.
    local deadline=$((SECONDS + 30))
    until no_processes_left || ((SECONDS > deadline)); do
        sleep 0.2
        # shellcheck disable=SC2046 # a list of numbers
        if ! no_processes_left; then kill -KILL $(cgroup_processes) 2>/dev/null || true; fi
    done
}

no_cable() { ! ip link show "$CABLE"; }

remove_cable() {
    # The kernel takes the cable away with the lab's network, a moment later; one that was never plugged in stays.
    if no_cable 2>/dev/null >&2; then return; fi
    ip link del "$CABLE" 2>/dev/null || true
    wait_for 20 "the interface $CABLE does not go away" "" no_cable
}

remove_files() {
    local path
    if [ ! -e "$LAB/.wasmgear-lab" ]; then return; fi
    # Mounts of the lab live in its own namespace; one that is visible here would make the removal dangerous.
    if awk '{print $2}' /proc/self/mounts | grep -q "^$LAB/"; then
        fail "something is mounted below $LAB; unmount it, then: make lab-down"
    fi
    if [ -f "$LAB/run/made" ]; then
        # Deepest first; one that somebody else uses meanwhile is not empty and stays.
        tac "$LAB/run/made" | while read -r path; do rmdir "$path" 2>/dev/null || true; done
    fi
    # The marker goes last: a removal that was interrupted is still known as a lab.
    find "$LAB" -xdev -mindepth 1 -maxdepth 1 ! -name .wasmgear-lab -exec rm -rf --one-file-system {} +
    rm -rf --one-file-system "$LAB"
}
