//! The dashboards match the types published by Grafana.

use std::process::Command;

fn check(files: &[&str]) -> (bool, String) {
    let output = Command::new(dashboards::folder().join("types/check.sh")).args(files).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

/// One test for both, because they share the folder of the compiler.
#[test]
fn dashboards_type_check_and_a_damaged_one_does_not() {
    let (good, text) = check(&[]);
    assert!(good, "{text}");
    println!("{}", text.trim());
    if text.starts_with("skipped:") {
        return;
    }
    assert!(text.contains("10 of 10 fit"), "{text}");

    let source = dashboards::folder().join("dashboards/rx580-api-overview.json");
    let source = std::fs::read_to_string(source).unwrap();
    let folder = std::env::temp_dir().join(format!("dashboard-types-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("damaged.json");
    for (good, bad, message) in [
        (r#""graphMode": "area""#, r#""graphMode": "areas""#, "areas"),
        (r#""editable": false"#, r#""editable": "no""#, "boolean"),
        (r#""legendFormat""#, r#""legendFmt""#, "legendFmt"),
    ] {
        assert!(source.contains(good));
        std::fs::write(&file, source.replace(good, bad)).unwrap();
        let (fits, text) = check(&[file.to_str().unwrap()]);
        assert!(!fits && text.contains(message), "{bad}: {text}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
