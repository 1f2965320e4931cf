use super::*;

fn latencies() -> Latencies {
    let mut latencies = Latencies::default();
    for millis in 1..=1_000 {
        latencies.response.saturating_record(millis * 1_000_000);
        latencies.service.saturating_record(1_000_000);
    }
    latencies
}

#[test]
fn parses_and_evaluates_thresholds() {
    let latencies = latencies();
    let ledger = Ledger {
        scheduled: 1_000,
        expected: 970,
        unexpected: 20,
        transport_errors: 4,
        local_errors: 1,
        shed: 3,
        unfinished: 2,
    };
    let measured = Measured { latencies: &latencies, ledger: &ledger, rate: 99.5 };
    for (text, holds) in [
        ("p99<1s", true),
        ("p99<250ms", false),
        ("p(50) <= 0.501s", true),
        ("p50<=499ms", false),
        ("p999<1.01s", true),
        ("p99.9<998ms", false),
        ("p(99.9)<998ms", false),
        ("p(9999)>=1s", true),
        ("p9999>=1s", true),
        ("p99.50>994ms", true),
        ("p99.50>996ms", false),
        ("p05<=51ms", true),
        ("p5<50ms", false),
        ("max>=1s", true),
        ("p100<1001ms", true),
        ("min>0.9ms", true),
        ("mean<1s", true),
        ("service.p99<1.1ms", true),
        ("service.p99.9<1000us", false),
        ("response.p75>700ms", true),
        ("failed<=3%", true),
        ("failed<0.03", false),
        ("unexpected<2.1%", true),
        ("errors<0.5%", false),
        ("errors<=0.5%", true),
        ("shed<1%", true),
        ("rate>=99/s", true),
        ("rate>6000/m", false),
        // Nothing was recorded, so the threshold is not met.
        ("pacer_lag.p99<1h", false),
        ("connection_wait.max<1h", false),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        let value = threshold.value(&measured);
        assert_eq!(threshold.holds(value), holds, "{text}: {value:?}");
    }
}

#[test]
fn only_upper_bounds_abort_a_run_and_tolerate_their_share() {
    for (text, abort, share) in [
        ("p99<1s", true, None),
        ("failed<1%", true, Some(Share::Failed)),
        ("errors<=1%", true, Some(Share::Errors)),
        ("failed>1%", false, None),
        ("rate>=10/s", false, None),
        ("rate<10/s", false, None),
    ] {
        let threshold: Threshold = text.parse().unwrap();
        assert_eq!((threshold.may_abort(), threshold.tolerates()), (abort, share), "{text}");
    }
}

#[test]
fn errors_name_the_invalid_part() {
    for (text, words) in [
        ("p99", "`p99` is not a threshold"),
        ("p99=5ms", "such as p99<250ms"),
        ("q99<5ms", "`q99` is not a metric"),
        ("p0<5ms", "`p0` is not a percentile"),
        ("p101.5<5ms", "`p101.5` is not a percentile"),
        ("p150<5ms", "expected a number above 0 and at most 100"),
        ("p1000<1us", "p999 means p99.9"),
        ("service.p(9000)<1us", "`p(9000)` is not a percentile"),
        ("p995<1us", "such as p99 or p99.5"),
        ("p1.2.3<1us", "`p1.2.3` is not a percentile"),
        ("p<1us", "`p` is not a metric"),
        ("client.p99<5ms", "`client.p99`"),
        ("p99<5", "`5` is not a duration"),
        ("p99<-5ms", "`-5ms`"),
        ("failed<200%", "`200%` is not a share"),
        ("failed<x", "`x` is not a share"),
        ("rate>0", "`0` is not a rate"),
    ] {
        let error = text.parse::<Threshold>().unwrap_err();
        assert!(error.to_string().contains(words), "{text}: {error}");
    }
}
