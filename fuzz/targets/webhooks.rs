//! Any body is accepted or refused by each receiver of the inbox; a refusal gives the reason.
#![no_main]

use inbox::receivers::{discord, mail, pagerduty, slack, webhook};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let user = Some("user");
    let all = [
        webhook::read(bytes),
        slack::read(bytes),
        discord::read(bytes),
        discord::read_slack(bytes),
        pagerduty::read(bytes),
        mail::read("a@example.com", &["b@example.com".to_owned()], user, bytes),
    ];
    for refusal in all.into_iter().filter_map(Result::err) {
        assert!(!refusal.0.is_empty(), "a refusal without a reason");
    }
});
