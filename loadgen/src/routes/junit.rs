//! The result of assertions as JUnit XML, with one test case per assertion.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use alerting::assertions::file::Assertion;

/// The report of a file of assertions.
///
/// # Errors
/// When the XML cannot be written.
pub fn report(checked: &[(Assertion, Vec<String>)]) -> Result<String, SerializeError> {
    let mut suite = TestSuite::new("routes");
    suite.add_test_cases(checked.iter().map(|(assertion, differences)| {
        let mut status = TestCaseStatus::success();
        if !differences.is_empty() {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(differences.join("; "));
        }
        let mut case = TestCase::new(assertion.name.as_str(), status);
        case.set_classname(assertion.alert.get("alertname").map_or("", String::as_str));
        case
    }));
    let mut report = Report::new("routes");
    report.add_test_suite(suite).to_string()
}
