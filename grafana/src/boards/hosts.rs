//! Hosts, and the processes and containers on them.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-hosts",
        title: "Containers and hosts",
        description: "Status of targets, resource usage of processes and containers, and free resources of the host.",
        refresh: "10s",
        from: "now-30m",
        offered: "up",
        rows: Vec::new(),
    }
    .row(
        "Targets",
        8,
        vec![
            Panel::states("Targets", 16, "Whether Prometheus can scrape each target. APIDown and PrometheusTargetDown use this.")
                .query("{{job}} {{instance}}", r#"up{job=~"$job",instance=~"$instance"}"#)
                .word("1", "up", "green")
                .word("0", "down", "red"),
            Panel::bars("Scrape time", "s", 8, "Duration of the last scrape of each target. Scrapes time out after 10 s.")
                .query("{{job}}", r#"max by (job) (scrape_duration_seconds{job=~"$job",instance=~"$instance"})"#)
                .steps(&[(1.0, "yellow"), (5.0, "red")]),
        ],
    )
    .row(
        "Processes",
        8,
        vec![
            Panel::lines(
                "Process memory",
                "bytes",
                8,
                "Resident memory of every process that exports it, and the gateway's limit, above which HighMemoryUsage fires.",
            )
            .query("{{job}} {{instance}}", r#"process_resident_memory_bytes{job=~"$job",instance=~"$instance"}"#)
            .query("limit {{instance}}", r#"app_memory_alert_bytes{job=~"$job",instance=~"$instance"}"#),
            Panel::lines("Process CPU", "short", 8, "CPU cores used by each process.").query(
                "{{job}} {{instance}}",
                r#"rate(process_cpu_seconds_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#,
            ),
            Panel::lines("Open files", "short", 8, "File descriptors in use, including connections.")
                .query("{{job}} {{instance}}", r#"process_open_fds{job=~"$job",instance=~"$instance"}"#),
        ],
    )
    .row(
        "Services of the stack",
        8,
        vec![
            Panel::states(
                "Services run as processes",
                12,
                "Only without containers: whether each process of the stack runs. ContainerDown uses this.",
            )
            .query("{{name}}", r#"stack_process_up{job=~"$job",instance=~"$instance"}"#)
            .word("1", "runs", "green")
            .word("0", "stopped", "red"),
            Panel::bars(
                "Restarts of processes",
                "short",
                12,
                "Only without containers: restarts of each process in the selected time range. ContainerRestarting fires above 2 in 10 minutes.",
            )
            .query("{{name}}", r#"changes(stack_process_start_time_seconds{job=~"$job",instance=~"$instance"}[$__range])"#)
            .steps(&[(1.0, "yellow"), (3.0, "red")]),
        ],
    )
    .row(
        "Containers",
        8,
        vec![
            Panel::lines("Container memory", "bytes", 8, "Working set of each container, which counts against its limit.").query(
                "{{name}}",
                r#"sum by (name) (container_memory_working_set_bytes{job=~"$job",instance=~"$instance",name!=""})"#,
            ),
            Panel::lines("Container CPU", "short", 8, "CPU cores used by each container.").query(
                "{{name}}",
                r#"sum by (name) (rate(container_cpu_usage_seconds_total{job=~"$job",instance=~"$instance",name!=""}[$__rate_interval]))"#,
            ),
            Panel::bars(
                "Restarts of containers",
                "short",
                8,
                "Restarts of each container in the selected time range. ContainerRestarting fires above 2 in 10 minutes.",
            )
            .query(
                "{{name}}",
                r#"max by (name) (changes(container_start_time_seconds{job=~"$job",instance=~"$instance",name!=""}[$__range]))"#,
            )
            .steps(&[(1.0, "yellow"), (3.0, "red")]),
        ],
    )
    .row(
        "Hosts",
        8,
        vec![
            Panel::lines("CPU", "percentunit", 6, "Share of CPU time in use. HostHighCpu uses this.")
                .query(
                    "{{instance}}",
                    r#"1 - avg by (instance) (rate(node_cpu_seconds_total{job=~"$job",instance=~"$instance",mode="idle"}[$__rate_interval]))"#,
                )
                .up_to(1.0),
            Panel::lines("Memory", "percentunit", 6, "Share of memory that is not available. HostMemoryLow uses this.")
                .query(
                    "{{instance}}",
                    r#"1 - node_memory_MemAvailable_bytes{job=~"$job",instance=~"$instance"} / node_memory_MemTotal_bytes{job=~"$job",instance=~"$instance"}"#,
                )
                .up_to(1.0),
            Panel::bars("Disks", "percentunit", 6, "Share of each file system in use. HostDiskFull uses this.")
                .query(
                    "{{mountpoint}}",
                    r#"1 - min by (mountpoint) (node_filesystem_avail_bytes{job=~"$job",instance=~"$instance",fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes{job=~"$job",instance=~"$instance",fstype!~"tmpfs|ramfs|overlay|squashfs"})"#,
                )
                .steps(&[(0.8, "yellow"), (0.9, "red")])
                .up_to(1.0),
            Panel::lines("Network", "Bps", 6, "Bytes received and sent per second, excluding loopback.")
                .query(
                    "received {{instance}}",
                    r#"sum by (instance) (rate(node_network_receive_bytes_total{job=~"$job",instance=~"$instance",device!="lo"}[$__rate_interval]))"#,
                )
                .query(
                    "sent {{instance}}",
                    r#"sum by (instance) (rate(node_network_transmit_bytes_total{job=~"$job",instance=~"$instance",device!="lo"}[$__rate_interval]))"#,
                ),
        ],
    )
}
