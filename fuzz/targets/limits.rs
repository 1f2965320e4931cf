//! Any text is read or refused as a file of rate limits, and as one of API keys under these or the built-in limits.
#![no_main]

use api::access::KeyRing;
use api::limit::PolicySet;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let policies = match PolicySet::parse("limits.toml", text) {
        Ok(policies) => policies,
        Err(error) => {
            assert!(error.to_string().contains("limits.toml"), "{error}");
            PolicySet::built_in()
        }
    };
    assert!(policies.plans().count() >= 2, "default and unlimited");
    match KeyRing::parse("keys.toml", text, &policies) {
        Ok(ring) => assert_eq!(ring.plan_missing(&policies), None, "it was read for these policies"),
        Err(error) => assert!(error.to_string().contains("keys.toml"), "{error}"),
    }
});
