# shellcheck shell=bash
# Processes that outlive the script that started them: a record of who they are, and their cgroup.
#
# A number alone does not name a process, because the kernel uses numbers again. A record is "pid start boot": the
# process's start time in clock ticks, and the boot it belongs to.

# started PID - when PID was started, in clock ticks since boot; nothing when it is gone.
started() {
    local line
    read -r line 2>/dev/null <"/proc/$1/stat" || return 1
    # The second field is the program's name in brackets and may hold anything.
    line=${line##*) }
    # shellcheck disable=SC2086 # split on purpose
    set -- $line
    printf '%s' "${20}"
}

record() { printf '%s %s %s\n' "$1" "$(started "$1")" "$(cat /proc/sys/kernel/random/boot_id)"; }

# lives FILE - whether the process that FILE records is still there.
lives() {
    local pid start boot
    read -r pid start boot 2>/dev/null <"$1" || return 1
    [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] && [ "$(started "$pid" || true)" = "$start" ]
}

# cgroup_roots - the mount points of the machine's cgroup hierarchies: one with cgroup v2, about ten with v1, and with v1 a
# v2 tree without controllers beside them on some machines.
cgroup_roots() { awk '$3 == "cgroup" || $3 == "cgroup2" {print $2}' /proc/self/mounts | sort -u; }

# make_cgroups - makes $CGROUP/node in every hierarchy.
make_cgroups() {
    local root
    while read -r root; do
        mkdir -p "$root/$CGROUP/node"
        if [ -f "$root/cgroup.subtree_control" ]; then pass_controllers_on "$root"; fi
        # v1: a group without processors and memory nodes takes no process.
        if [ -f "$root/cpuset.cpus" ] && [ ! -f "$root/cgroup.subtree_control" ]; then
            copy_cpusets "$root" "$root/$CGROUP"
            copy_cpusets "$root/$CGROUP" "$root/$CGROUP/node"
        fi
    done < <(cgroup_roots)
}

# pass_controllers_on ROOT - v2: pods need these controllers below us. One by one, since a machine may lack some of them.
pass_controllers_on() {
    local group controller
    for group in "$1" "$1/$CGROUP"; do
        for controller in cpu cpuset memory pids io; do
            echo "+$controller" 2>/dev/null >"$group/cgroup.subtree_control" || true
        done
    done
    if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
        grep -qw memory "$1/$CGROUP/cgroup.subtree_control" \
            || fail "the memory controller can not be passed on in $1; the lab needs the machine's own cgroup tree (a container has none)"
    fi
}

copy_cpusets() {
    local file
    for file in cpuset.cpus cpuset.mems; do cat "$1/$file" >"$2/$file"; done
}

# enter_cgroups PID - moves a process, and with it all that it will start.
enter_cgroups() {
    local root
    while read -r root; do echo "$1" >"$root/$CGROUP/node/cgroup.procs"; done < <(cgroup_roots)
}

# cgroup_processes - every process of the lab, in any hierarchy.
cgroup_processes() {
    local root
    while read -r root; do
        if [ -d "$root/$CGROUP" ]; then find "$root/$CGROUP" -name cgroup.procs -exec cat {} + 2>/dev/null; fi
    done < <(cgroup_roots) | sort -un
}

no_processes_left() { [ -z "$(cgroup_processes)" ]; }

# remove_cgroups - fails while a process is left in one of them.
remove_cgroups() {
    local root
    while read -r root; do
        if [ -d "$root/$CGROUP" ]; then find "$root/$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || return 1; fi
    done < <(cgroup_roots)
}
