//! What the business sees: users, orders and revenue.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-business",
        title: "Business",
        description: "Registrations, active users, orders and revenue.",
        refresh: "10s",
        from: "now-30m",
        offered: r#"up{job=~"api|custom-metrics"}"#,
        rows: Vec::new(),
    }
    .row(
        "",
        5,
        vec![
            Panel::stat("New users", "short", 6, "Users created in the selected time range.")
            .query(
                "users",
                r#"sum(increase(users_registered_total{job=~"$job",instance=~"$instance"}[$__range]))"#,
            ),
            Panel::stat("Active users", "short", 6, "Active users, as set through /update.")
            .query(
                "users",
                r#"max(app_active_users{job=~"$job",instance=~"$instance"})"#,
            ),
            Panel::gauge("CPU usage", "percent", 6, "CPU usage as set through /cpu; a value to try panels and alerts with.")
            .query(
                "CPU",
                r#"max(app_cpu_usage_percent{job=~"$job",instance=~"$instance"})"#,
            )
            .steps(&[(70.0, "yellow"), (90.0, "red")])
            .up_to(100.0),
            Panel::stat("Orders in progress", "short", 6, "Orders that are placed or paid, and wait for the next step.")
            .query(
                "orders",
                r#"max(orders_in_progress{job=~"$job",instance=~"$instance"})"#,
            ),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines("Registrations", "cpm", 8, "Users created per minute.")
            .query(
                "users",
                r#"sum(rate(users_registered_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) * 60"#,
            ),
            Panel::lines("Orders by status", "cpm", 8, "Orders per minute by the status that they got. OrdersStuck fires when more than 10 are placed in 10 minutes and none is paid or cancelled.")
            .query(
                "{{status}}",
                r#"sum by (status) (rate(orders_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) * 60"#,
            ),
            Panel::lines("Revenue", "short", 8, "Amounts of paid orders per hour, in units of each currency.")
            .query(
                "{{currency}}",
                r#"sum by (currency) (rate(revenue_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) * 3600"#,
            ),
        ],
    )
}
