//! Lines that are redrawn in place on the terminal. They go to standard error, so that standard output can be piped.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use common::console;

/// A redrawn area, with messages above it.
#[derive(Debug)]
pub struct Screen {
    bar: ProgressBar,
    live: bool,
}

impl Screen {
    /// Live when standard error is a terminal that can move its cursor and `plain` is false.
    #[must_use]
    pub fn new(plain: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let live = !plain && !dumb && std::io::stderr().is_terminal();
        Self::on(if live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }, live)
    }

    /// Draws to any target, such as one in memory.
    #[must_use]
    pub fn on(target: ProgressDrawTarget, live: bool) -> Self {
        let style = ProgressStyle::with_template("{msg}").expect("valid template");
        Self { bar: ProgressBar::with_draw_target(None, target).with_style(style), live }
    }

    /// Whether anything is drawn.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// The columns and lines that fit without wrapping or scrolling, as wrapped or scrolled lines cannot be redrawn.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let (width, rows) =
            terminal_size::terminal_size().map_or((80, 24), |(width, rows)| (width.0, rows.0));
        (usize::from(width.max(20)) - 1, usize::from(rows.max(3)) - 1)
    }

    /// Replaces the drawn lines.
    pub fn draw(&self, lines: &[String]) {
        if lines.is_empty() {
            return self.clear();
        }
        if self.bar.is_finished() {
            self.bar.reset();
        }
        self.bar.set_message(console::visible(&lines.join("\n")).into_owned());
    }

    /// Prints a permanent line above the drawn lines.
    pub fn say(&self, line: &str) {
        if self.live { self.bar.println(console::visible(line)) } else { console::line(line) }
    }

    /// Removes the drawn lines.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    #[test]
    fn redraws_in_place_and_keeps_messages_above() {
        let terminal = InMemoryTerm::new(10, 40);
        // The in-memory target draws every time; the terminal's own target limits the refresh rate.
        let screen = Screen::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())), true);
        let draw =
            |lines: &[&str]| screen.draw(&lines.iter().map(|&line| line.to_owned()).collect::<Vec<_>>());
        draw(&["0 of 2 done", "one"]);
        assert_eq!(terminal.contents(), "0 of 2 done\none");
        draw(&["0 of 2 done", "one", "other"]);
        assert_eq!(terminal.contents(), "0 of 2 done\none\nother");
        screen.say("one: PROVEN");
        draw(&["1 of 2 done", "other"]);
        assert_eq!(terminal.contents(), "one: PROVEN\n1 of 2 done\nother");
        draw(&[]);
        assert_eq!(terminal.contents(), "one: PROVEN", "the drawn lines are removed");
        screen.say("other: PROVEN");
        draw(&["a new run"]);
        assert_eq!(terminal.contents(), "one: PROVEN\nother: PROVEN\na new run");
        screen.clear();
        assert_eq!(terminal.contents(), "one: PROVEN\nother: PROVEN");
    }

    #[test]
    fn texts_of_others_do_not_move_the_cursor() {
        let terminal = InMemoryTerm::new(10, 40);
        let screen = Screen::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())), true);
        screen.say("MISSED\u{1b}[2K\rPROVEN");
        screen.draw(&["a\u{1b}[1Ab".to_owned()]);
        assert_eq!(terminal.contents(), "MISSED\\u001b[2K\\u000dPROVEN\na\\u001b[1Ab");
    }
}
