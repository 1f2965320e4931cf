//! Metrics about the supervised processes for the node exporter's textfile collector, like those of cAdvisor for
//! containers.

use std::fmt::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;

/// One process of the stack.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// The service's name.
    pub name: String,
    /// Whether it runs.
    pub up: bool,
    /// When it was last started.
    pub started: SystemTime,
}

/// The metrics: two gauges per process.
#[must_use]
pub fn text(processes: &[Reported]) -> String {
    let mut text = String::new();
    let families = [
        ("stack_process_up", "1 if the process of the service runs, else 0."),
        ("stack_process_start_time_seconds", "Time of the last start of the process in seconds since 1970."),
    ];
    for (index, (family, help)) in families.into_iter().enumerate() {
        let _ = writeln!(text, "# HELP {family} {help}\n# TYPE {family} gauge"); // writing to a String cannot fail
        for process in processes {
            let value = if index == 0 {
                f64::from(u8::from(process.up))
            } else {
                process.started.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
            };
            let _ = writeln!(text, "{family}{{name=\"{}\"}} {value}", process.name);
        }
    }
    text
}

/// Writes the file atomically, because the exporter may read it at any time.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path, processes: &[Reported]) -> Result<(), Error> {
    let (new, path) = (folder.join("stack.prom.new"), folder.join("stack.prom"));
    std::fs::write(&new, text(processes))
        .and_then(|()| std::fs::rename(&new, &path))
        .map_err(Error::io(format!("writing {}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn writes_two_gauges_per_process() {
        let started = UNIX_EPOCH + Duration::from_millis(1_500);
        let text = text(&[Reported { name: "api".into(), up: false, started }]);
        assert!(text.contains("stack_process_up{name=\"api\"} 0\n"), "{text}");
        assert!(text.contains("stack_process_start_time_seconds{name=\"api\"} 1.5\n"), "{text}");
    }
}
