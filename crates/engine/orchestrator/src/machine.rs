//! What the machine gives this process.

use std::path::{Path, PathBuf};

/// Bytes of memory that the machine has, or that the control group of this process may use, where
/// they say so.
pub(crate) fn memory() -> Option<u64> {
    let text = |path: &Path| fs_err::read_to_string(path).ok();
    let machine = text(Path::new("/proc/meminfo")).and_then(|text| total(&text));
    let groups = text(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = files(&groups);
    let limits = limits.iter().filter_map(|file| text(file)?.trim().parse::<u64>().ok());
    machine.into_iter().chain(limits).min()
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

/// Groups below which one for a single stage may be made, each with the name of the file that limits
/// its memory. In the second version of control groups only groups without processes have others
/// below them, so there it is a sibling of ours.
pub(crate) fn parents() -> Vec<(PathBuf, &'static str)> {
    let groups = fs_err::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let place = |(base, file, group): (&str, &'static str, &Path)| {
        let group = if file == UNIFIED { group.parent()? } else { group };
        let place = Path::new(base).join(group);
        place.is_dir().then_some((place, file))
    };
    memory_groups(&groups).into_iter().filter_map(place).collect()
}

/// Where limits of memory may stand, by `/proc/self/cgroup`: in the group itself and in all above,
/// in both versions of control groups. `max`, and what is not there, is no limit.
fn files(groups: &str) -> Vec<PathBuf> {
    let above = |(base, file, group): (&str, &str, &Path)| -> Vec<PathBuf> {
        // Within a container the path may be that of the world outside; the root is there anyway.
        group.ancestors().map(|group| Path::new(base).join(group).join(file)).collect()
    };
    memory_groups(groups).into_iter().flat_map(above).collect()
}

/// The file of the second version of control groups.
const UNIFIED: &str = "memory.max";

/// Where groups that count memory lie, the name of the file that limits it, and the group itself.
fn memory_groups(groups: &str) -> Vec<(&'static str, &'static str, &Path)> {
    let of = |line| {
        let mut fields = str::splitn(line, 3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let (base, file) = match controllers {
            "" => ("/sys/fs/cgroup", UNIFIED),
            list if list.split(',').any(|controller| controller == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        Some((base, file, Path::new(group.trim_start_matches('/'))))
    };
    groups.lines().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_memory() {
        assert_eq!(total("MemFree: 1 kB\nMemTotal:       24600000 kB\n"), Some(24_600_000 << 10));
        assert!(memory().is_none_or(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn may_be_limited_by_a_group_or_one_above() {
        let groups = "4:cpu,cpuacct:/a\n3:memory:/docker/abc\n0::/user.slice/app.scope\nnonsense\n";
        let files: Vec<_> =
            files(groups).into_iter().map(|file| file.display().to_string()).collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/user.slice/app.scope/memory.max",
                "/sys/fs/cgroup/user.slice/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }
}
