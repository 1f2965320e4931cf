//! The machines, and the processes and containers on them.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-hosts",
        title: "Containers and hosts",
        description: "Who is up, what each process or container takes, and what the machine has left.",
        refresh: "10s",
        from: "now-30m",
        offered: "up",
        rows: Vec::new(),
    }
    .row(
        "Targets",
        8,
        vec![
            Panel::states("Targets", 16, "Whether Prometheus could scrape each target. APIDown and PrometheusTargetDown watch this.")
                .ask("{{job}} {{instance}}", r#"up{job=~"$job",instance=~"$instance"}"#)
                .word("1", "up", "green")
                .word("0", "down", "red"),
            Panel::bars("Scrape time", "s", 8, "How long the last scrape of each target took; the limit is 10 s.")
                .ask("{{job}}", r#"max by (job) (scrape_duration_seconds{job=~"$job",instance=~"$instance"})"#)
                .steps(&[(1.0, "yellow"), (5.0, "red")]),
        ],
    )
    .row(
        "Processes",
        8,
        vec![
            Panel::lines(
                "Memory of a process",
                "bytes",
                8,
                "Resident memory of every process that says so, and the limit of the gateway: HighMemoryUsage fires above it.",
            )
            .ask("{{job}} {{instance}}", r#"process_resident_memory_bytes{job=~"$job",instance=~"$instance"}"#)
            .ask("limit {{instance}}", r#"app_memory_alert_bytes{job=~"$job",instance=~"$instance"}"#),
            Panel::lines("Processor of a process", "short", 8, "Cores each process keeps busy.").ask(
                "{{job}} {{instance}}",
                r#"rate(process_cpu_seconds_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#,
            ),
            Panel::lines("Open files", "short", 8, "File descriptors in use, connections included.")
                .ask("{{job}} {{instance}}", r#"process_open_fds{job=~"$job",instance=~"$instance"}"#),
        ],
    )
    .row(
        "Services of the stack",
        8,
        vec![
            Panel::states(
                "Services run as processes",
                12,
                "Without containers: whether each process of the stack runs, as its supervisor says. ContainerDown watches this.",
            )
            .ask("{{name}}", r#"stack_process_up{job=~"$job",instance=~"$instance"}"#)
            .word("1", "runs", "green")
            .word("0", "gone", "red"),
            Panel::bars(
                "Restarts of processes",
                "short",
                12,
                "Without containers: how often each was started anew in the time shown. ContainerRestarting fires above 2 in 10 minutes.",
            )
            .ask("{{name}}", r#"changes(stack_process_start_time_seconds{job=~"$job",instance=~"$instance"}[$__range])"#)
            .steps(&[(1.0, "yellow"), (3.0, "red")]),
        ],
    )
    .row(
        "Containers",
        8,
        vec![
            Panel::lines("Memory of a container", "bytes", 8, "What counts against the limit of each container.").ask(
                "{{name}}",
                r#"sum by (name) (container_memory_working_set_bytes{job=~"$job",instance=~"$instance",name!=""})"#,
            ),
            Panel::lines("Processor of a container", "short", 8, "Cores each container keeps busy.").ask(
                "{{name}}",
                r#"sum by (name) (rate(container_cpu_usage_seconds_total{job=~"$job",instance=~"$instance",name!=""}[$__rate_interval]))"#,
            ),
            Panel::bars(
                "Restarts of containers",
                "short",
                8,
                "How often each was started anew in the time shown. ContainerRestarting fires above 2 in 10 minutes.",
            )
            .ask(
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
            Panel::lines("Processor", "percentunit", 6, "Share of all cores that is busy. HostHighCpu watches this.")
                .ask(
                    "{{instance}}",
                    r#"1 - avg by (instance) (rate(node_cpu_seconds_total{job=~"$job",instance=~"$instance",mode="idle"}[$__rate_interval]))"#,
                )
                .up_to(1.0),
            Panel::lines("Memory", "percentunit", 6, "Share of memory that no process could have. HostMemoryLow watches this.")
                .ask(
                    "{{instance}}",
                    r#"1 - node_memory_MemAvailable_bytes{job=~"$job",instance=~"$instance"} / node_memory_MemTotal_bytes{job=~"$job",instance=~"$instance"}"#,
                )
                .up_to(1.0),
            Panel::bars("Disks", "percentunit", 6, "Share of each file system that is taken. HostDiskFull watches this.")
                .ask(
                    "{{mountpoint}}",
                    r#"1 - min by (mountpoint) (node_filesystem_avail_bytes{job=~"$job",instance=~"$instance",fstype!~"tmpfs|ramfs|overlay|squashfs"} / node_filesystem_size_bytes{job=~"$job",instance=~"$instance",fstype!~"tmpfs|ramfs|overlay|squashfs"})"#,
                )
                .steps(&[(0.8, "yellow"), (0.9, "red")])
                .up_to(1.0),
            Panel::lines("Network", "Bps", 6, "Bytes received and sent in a second, loopback left out.")
                .ask(
                    "received {{instance}}",
                    r#"sum by (instance) (rate(node_network_receive_bytes_total{job=~"$job",instance=~"$instance",device!="lo"}[$__rate_interval]))"#,
                )
                .ask(
                    "sent {{instance}}",
                    r#"sum by (instance) (rate(node_network_transmit_bytes_total{job=~"$job",instance=~"$instance",device!="lo"}[$__rate_interval]))"#,
                ),
        ],
    )
}
