//! End to end on one machine: a story that plays by itself, or an environment to be used by hand.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod console;
mod demo;
mod screen;
mod serve;

/// A platform, the bridge on the Spin emulator, and a simulated Freshworks.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Plays a handoff from all three sides, and checks what people saw.
    Demo(demo::Options),
    /// Starts the bridge with its console and Freshworks with its inbox, for use in a browser, and says what to fill in.
    Console(console::Options),
    /// Starts everything, writes the addresses as one line of JSON, and runs until its standard input ends.
    Serve(serve::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Demo(options) => demo::play(&options).await,
        Task::Console(options) => console::serve(&options).await.map(|()| true),
        Task::Serve(options) => serve::serve(&options).await.map(|()| true),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("e2e: {error:#}");
            ExitCode::FAILURE
        }
    }
}
