//! The `loadgen completions` command line.

use clap::CommandFactory;
use clap_complete::Shell;

use common::{console, exit};

/// Arguments of `loadgen completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  loadgen completions bash > ~/.local/share/bash-completion/completions/loadgen
  loadgen completions zsh > ~/.zfunc/_loadgen
  loadgen completions fish > ~/.config/fish/completions/loadgen.fish")]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// Prints the completions of `C` for a shell and returns the exit code.
#[must_use]
pub fn main<C: CommandFactory>(args: &Args) -> u8 {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut C::command(), "loadgen", &mut script);
    console::result(&String::from_utf8_lossy(&script));
    exit::FINE
}
