//! Models and the pipeline of readings.

use crate::{dashboard::Dashboard, panel::Panel};

pub(super) fn board() -> Dashboard {
    Dashboard {
        uid: "firedrill-models-pipeline",
        title: "Models and pipeline",
        description: "Rate and latency of model predictions, and whether readings of wearables arrive, are valid and are committed.",
        refresh: "10s",
        from: "now-30m",
        offered: r#"up{job=~"api|custom-metrics"}"#,
        rows: Vec::new(),
    }
    .row(
        "Models",
        8,
        vec![
            Panel::stat("Models loaded", "short", 4, "Loaded models on the selected instances.")
                .query("models", r#"sum(models_loaded{job=~"$job",instance=~"$instance"})"#),
            Panel::lines("Predictions by model", "reqps", 6, "Inferences per second.").query(
                "{{model}}",
                r#"sum by (model) (rate(inference_duration_seconds_count{job=~"$job",instance=~"$instance"}[$__rate_interval]))"#,
            ),
            Panel::lines(
                "Inference time",
                "s",
                8,
                "50th and 95th percentile of the inference time, excluding time in the queue. SlowInference fires when P95 is above 1 s.",
            )
            .query(
                "P50 {{model}}",
                r#"histogram_quantile(0.50, sum by (le, model) (rate(inference_duration_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .query(
                "P95 {{model}}",
                r#"histogram_quantile(0.95, sum by (le, model) (rate(inference_duration_seconds_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            ),
            Panel::lines(
                "Waiting for a worker",
                "short",
                6,
                "Requests in the inference queue. Beyond INFERENCE_QUEUE, requests get 503.",
            )
            .query("{{instance}}", r#"inference_queue_depth{job=~"$job",instance=~"$instance"}"#),
        ],
    )
    .row(
        "",
        7,
        vec![Panel::bars(
            "Failed loads by model",
            "short",
            24,
            "Failed loads in the selected time range caused by the file. ModelLoadFailures fires above 3 in 10 minutes.",
        )
        .query(
            "{{model}}",
            r#"sum by (model) (increase(model_load_failures_total{job=~"$job",instance=~"$instance"}[$__range]))"#,
        )
        .steps(&[(1.0, "yellow"), (3.0, "red")])],
    )
    .row(
        "Pipeline",
        8,
        vec![
            Panel::stacked("Readings by stream", "ops", 8, "Committed readings per second.").query(
                "{{stream}}",
                r#"sum by (stream) (rate(pipeline_records_total{job=~"$job",instance=~"$instance",outcome="accepted"}[$__rate_interval]))"#,
            ),
            Panel::lines(
                "Readings not committed",
                "ops",
                8,
                "Rejected: the reading is invalid; IngestionFailures fires above 3 in 10 minutes. Refused: the queue was full or the database unavailable, and the client got 503.",
            )
            .query(
                "{{outcome}} {{stream}}",
                r#"sum by (outcome, stream) (rate(pipeline_records_total{job=~"$job",instance=~"$instance",outcome!="accepted"}[$__rate_interval]))"#,
            ),
            Panel::bars(
                "Since the last commit",
                "s",
                8,
                "Time since the last committed reading by stream. PipelineStalled fires when no stream has one for 10 minutes.",
            )
            .query(
                "{{stream}}",
                r#"time() - max by (stream) (pipeline_last_success_timestamp_seconds{job=~"$job",instance=~"$instance"} > 0)"#,
            )
            .steps(&[(120.0, "yellow"), (600.0, "red")]),
        ],
    )
    .row(
        "",
        8,
        vec![
            Panel::lines("Queue", "short", 8, "Readings waiting for a commit; the limit is INGEST_QUEUE.")
                .query("{{instance}}", r#"pipeline_queue_depth{job=~"$job",instance=~"$instance"}"#),
            Panel::lines("Oldest in the queue", "s", 8, "Age of the oldest reading in the queue.")
                .query("{{instance}}", r#"pipeline_queue_oldest_age_seconds{job=~"$job",instance=~"$instance"}"#),
            Panel::lines(
                "Heart rate variability",
                "ms",
                8,
                "Mean and 95th percentile of ingested RMSSD readings. AbnormalHRV fires when the mean is outside 15 to 200 ms.",
            )
            .query(
                "mean",
                r#"sum(rate(pipeline_hrv_rmssd_ms_sum{job=~"$job",instance=~"$instance"}[$__rate_interval])) / (sum(rate(pipeline_hrv_rmssd_ms_count{job=~"$job",instance=~"$instance"}[$__rate_interval])) > 0)"#,
            )
            .query(
                "P95",
                r#"histogram_quantile(0.95, sum by (le) (rate(pipeline_hrv_rmssd_ms_bucket{job=~"$job",instance=~"$instance"}[$__rate_interval])))"#,
            )
            .steps(&[(15.0, "green"), (200.0, "red")])
            .marked(),
        ],
    )
}
