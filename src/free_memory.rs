//! How much memory a program may still take: what the system has, within the limits of the groups that it runs in.

use std::fs;
use std::path::Path;

/// Bytes; none where the system does not say.
pub fn bytes() -> Option<u64> {
    let available = available(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = limits(Path::new("/sys/fs/cgroup"), &group);
    Some(limits.into_iter().fold(available, u64::min))
}

/// What `/proc/meminfo` says can be taken without swapping.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// What is left in each control group that this program is in, of those with a limit. `group` is `/proc/self/cgroup`.
fn limits(root: &Path, group: &str) -> Vec<u64> {
    let mut left = Vec::new();
    for line in group.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(kind), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        // Version 2 has one tree; version 1 has one for memory.
        let (tree, names) = match kind {
            "" => (root.to_path_buf(), ["memory.max", "memory.current", "inactive_file "]),
            kind if kind.split(',').any(|kind| kind == "memory") => {
                (root.join("memory"), ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "])
            }
            _ => continue,
        };
        // In a container the path is that of the host, and the group itself is the root.
        for folder in Path::new(path.trim_start_matches('/')).ancestors() {
            left.extend(left_in(&tree.join(folder), names));
        }
    }
    left
}

/// Of one group: its limit less what it uses, but for copies of files that would be dropped.
fn left_in(folder: &Path, [limit, usage, droppable]: [&str; 3]) -> Option<u64> {
    let number = |name: &str| fs::read_to_string(folder.join(name)).ok()?.trim().parse::<u64>().ok();
    let stat = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let dropped = stat.lines().find_map(|line| line.strip_prefix(droppable)?.trim().parse::<u64>().ok()).unwrap_or(0);
    Some(number(limit)?.saturating_sub(number(usage)?.saturating_sub(dropped)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_available_is_read_in_kib() {
        assert_eq!(available("MemTotal:  9 kB\nMemFree:  1 kB\nMemAvailable:   2048 kB\n"), Some(2 << 20));
        assert_eq!(available("MemTotal:  9 kB\n"), None);
    }

    /// On paper: 1000 − (700 − 200) = 500 for the inner one, no limit for the outer, and for version 1 300 − 100.
    #[test]
    fn every_group_with_a_limit_counts_and_copies_of_files_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("outer/inner/memory.max", "1000\n");
        write("outer/inner/memory.current", "700\n");
        write("outer/inner/memory.stat", "anon 1\ninactive_file 200\n");
        write("outer/memory.max", "max\n");
        write("outer/memory.current", "900\n");
        write("memory/old/memory.limit_in_bytes", "300\n");
        write("memory/old/memory.usage_in_bytes", "100\n");
        assert_eq!(limits(dir.path(), "0::/outer/inner\n"), [500]);
        assert_eq!(limits(dir.path(), "7:cpu,memory:/old\n3:pids:/old\n"), [200]);
        assert_eq!(limits(dir.path(), "0::/elsewhere\nnonsense\n"), [0; 0]);
        assert!(bytes().is_none_or(|bytes| bytes > 0));
    }
}
