//! Redis, and the rate limits counted in it.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-redis",
        title: "Redis and rate limiting",
        description: "Rate limit refusals by policy, the deciding backend and its latency, and the state of Redis.",
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
                "Deciding backend: Redis, a cached refusal of Redis (cached), or the gateway alone (local). A sustained share other than \
                 redis and cached fires RateLimiterDegraded.",
            )
            .query(
                "{{backend}}",
                r#"sum by (backend) (rate(rate_limit_decisions_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines("Refusals by policy", "ops", 8, "Requests refused with 429 per second. RateLimitHits fires at 50 in 5 minutes.")
                .query(
                    "{{policy}}",
                    r#"sum by (policy) (rate(rate_limit_hits_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
                ),
            Panel::stat("Refused share", "percentunit", 4, "Share of decisions that refused a request.")
                .query(
                    "refused",
                    r#"sum(rate(rate_limit_hits_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) / (sum(rate(rate_limit_decisions_total{job=~"$job",instance=~"$instance"}[$__rate_interval])) > 0)"#,
                )
                .steps(&[(0.01, "yellow"), (0.2, "red")]),
            Panel::stat("Redis decides", "bool_yes_no", 4, "`No` means that the circuit breaker is open and each gateway applies its own limits.")
                .query("{{instance}}", r#"min(rate_limit_backend_up{job=~"$job",instance=~"$instance"})"#)
                .steps(&[(1.0, "green")])
                .bad_below(),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines(
                "Decision time",
                "s",
                8,
                "50th and 99th percentile of the decision time by backend. REDIS_DEADLINE, 10 ms by default, limits it.",
            )
            .query(
                "P50 {{backend}}",
                r#"histogram_quantile(0.50, sum by (le, backend) (rate(rate_limit_check_duration_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .query(
                "P99 {{backend}}",
                r#"histogram_quantile(0.99, sum by (le, backend) (rate(rate_limit_check_duration_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
            Panel::lines("Failed Redis decisions", "ops", 8, "Decisions per second that Redis could not make, by kind of error.").query(
                "{{kind}}",
                r#"sum by (kind) (rate(rate_limit_backend_errors_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines(
                "Client keys in memory",
                "short",
                8,
                "Client keys in the gateways' memory by store. The number is limited; it rises with many new addresses.",
            )
            .query("{{store}}", r#"sum by (store) (rate_limit_keys{job=~"$job",instance=~"$instance"})"#),
        ],
    )
    .row(
        "Redis",
        8,
        vec![
            Panel::states("Redis responds to its exporter", 6, "RedisDown fires when Redis has not responded for a minute.")
                .query("{{instance}}", r#"redis_up{job=~"$job",instance=~"$instance"}"#)
                .word("1", "up", "green")
                .word("0", "down", "red"),
            Panel::lines("Commands", "ops", 6, "Commands executed by Redis per second: one per decision of a gateway.").query(
                "{{instance}}",
                r#"sum by (instance) (rate(redis_commands_processed_total{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines(
                "Memory",
                "bytes",
                6,
                "Memory in use and its limit; 0 means no limit. RedisMemoryHigh fires above 90 % of a limit.",
            )
            .query("used {{instance}}", r#"redis_memory_used_bytes{job=~"$job",instance=~"$instance"}"#)
            .query("limit {{instance}}", r#"redis_memory_max_bytes{job=~"$job",instance=~"$instance"}"#),
            Panel::lines(
                "Connections",
                "short",
                6,
                "Connected clients and their maximum. RedisConnectionsHigh fires above 90 % of it.",
            )
            .query("connected {{instance}}", r#"redis_connected_clients{job=~"$job",instance=~"$instance"}"#)
            .query("maximum {{instance}}", r#"redis_config_maxclients{job=~"$job",instance=~"$instance"}"#),
        ],
    )
    .row(
        "",
        7,
        vec![
            Panel::lines("Keys", "short", 12, "Keys in Redis: one per client whose quota is not full.").query(
                "{{db}} {{instance}}",
                r#"sum by (db, instance) (redis_db_keys{job=~"$job",instance=~"$instance"})"#,
            ),
            Panel::lines(
                "Rejected connections and evicted keys",
                "ops",
                12,
                "Connections rejected at the limit, and keys evicted for lack of memory. Either one fires an alert.",
            )
            .query(
                "rejected connections {{instance}}",
                r#"rate(redis_rejected_connections_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#,
            )
            .query(
                "evicted keys {{instance}}",
                r#"rate(redis_evicted_keys_total{job=~"$job",instance=~"$instance"}[$__rate_interval])"#,
            ),
        ],
    )
}
