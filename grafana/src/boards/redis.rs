//! Redis, and the rate limits that are counted in it.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-redis",
        title: "Redis and rate limiting",
        description: "Who is refused and why, which backend decides and how fast, and how Redis is.",
        refresh: "10s",
        from: "now-30m",
        offered: r#"up{job=~"api|redis"}"#,
        rows: Vec::new(),
    }
    .row(
        "Rate limiting",
        8,
        vec![
            Panel::stacked(
                "Decisions by backend",
                "ops",
                8,
                "Who decided: Redis, a refusal still known from Redis (cached), or this process alone (local). Other than \
                 redis and cached for longer than a moment means that RateLimiterDegraded is near.",
            )
            .ask(
                "{{backend}}",
                r#"sum by (backend) (rate(rate_limit_decisions_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines("Refusals by policy", "ops", 8, "Requests answered 429 in a second. RateLimitHits fires at 50 in 5 minutes.")
                .ask(
                    "{{policy}}",
                    r#"sum by (policy) (rate(rate_limit_hits_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
                ),
            Panel::stat("Refused share", "percentunit", 4, "Share of the decisions that refused.")
                .ask(
                    "refused",
                    r#"sum(rate(rate_limit_hits_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) / (sum(rate(rate_limit_decisions_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) > 0)"#,
                )
                .steps(&[(0.01, "yellow"), (0.2, "red")]),
            Panel::stat("Redis decides", "bool_yes_no", 4, "No: the breaker is open and each gateway limits for itself.")
                .ask("{{instance}}", r#"min(rate_limit_backend_up{job=~"$job",instance=~"$instance"})"#)
                .steps(&[(1.0, "green")])
                .bad_below(),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines(
                "Time a decision takes",
                "s",
                8,
                "Half and 99 % of the decisions took less, by backend. REDIS_DEADLINE bounds it at 10 ms.",
            )
            .ask(
                "P50 {{backend}}",
                r#"histogram_quantile(0.50, sum by (le, backend) (rate(rate_limit_check_duration_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .ask(
                "P99 {{backend}}",
                r#"histogram_quantile(0.99, sum by (le, backend) (rate(rate_limit_check_duration_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
            Panel::lines("Decisions Redis could not make", "ops", 8, "In a second, by what went wrong.").ask(
                "{{kind}}",
                r#"sum by (kind) (rate(rate_limit_backend_errors_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines(
                "Client keys in memory",
                "short",
                8,
                "Clients that the gateways hold in their own memory, by store. Bounded; a flood of new addresses shows here.",
            )
            .ask("{{store}}", r#"sum by (store) (rate_limit_keys{job=~"$job",instance=~"$instance"})"#),
        ],
    )
    .row(
        "Redis",
        8,
        vec![
            Panel::states("Redis answers its exporter", 6, "RedisDown fires when it does not for a minute.")
                .ask("{{instance}}", r#"redis_up{job=~"$job",instance=~"$instance"}"#)
                .word("1", "up", "green")
                .word("0", "down", "red"),
            Panel::lines("Commands", "ops", 6, "Commands Redis executed in a second: one for each decision of a gateway.").ask(
                "{{instance}}",
                r#"sum by (instance) (rate(redis_commands_processed_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines(
                "Memory",
                "bytes",
                6,
                "Memory in use and its limit; a limit of 0 is none. RedisMemoryHigh fires above 90 % of a limit.",
            )
            .ask("used {{instance}}", r#"redis_memory_used_bytes{job=~"$job",instance=~"$instance"}"#)
            .ask("limit {{instance}}", r#"redis_memory_max_bytes{job=~"$job",instance=~"$instance"}"#),
            Panel::lines(
                "Connections",
                "short",
                6,
                "Clients connected and the most there may be. RedisConnectionsHigh fires above 90 % of it.",
            )
            .ask("connected {{instance}}", r#"redis_connected_clients{job=~"$job",instance=~"$instance"}"#)
            .ask("most {{instance}}", r#"redis_config_maxclients{job=~"$job",instance=~"$instance"}"#),
        ],
    )
    .row(
        "",
        7,
        vec![
            Panel::lines("Keys", "short", 12, "Keys in Redis: one for each client whose limit is not yet back to full.").ask(
                "{{db}} {{instance}}",
                r#"sum by (db, instance) (redis_db_keys{job=~"$job",instance=~"$instance"})"#,
            ),
            Panel::lines(
                "Turned away and thrown out",
                "ops",
                12,
                "Connections refused because there were too many, keys evicted for want of memory. Either one fires an alert.",
            )
            .ask(
                "rejected connections {{instance}}",
                r#"rate(redis_rejected_connections_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#,
            )
            .ask(
                "evicted keys {{instance}}",
                r#"rate(redis_evicted_keys_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#,
            ),
        ],
    )
}
