//! Writes the dashboards: `cargo run -p dashboards`.

use std::process::ExitCode;

fn main() -> ExitCode {
    for board in dashboards::boards::all() {
        let path = dashboards::folder().join("dashboards").join(board.file_name());
        if let Err(error) = std::fs::write(&path, dashboards::render::text(&board)) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{}", path.display());
    }
    ExitCode::SUCCESS
}
