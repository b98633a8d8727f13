//! Runs a connector plugin from the command line.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = host_test::cli::Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("host-test: no runtime: {error}");
            return ExitCode::from(3);
        }
    };
    runtime.block_on(host_test::cli::run(arguments))
}
