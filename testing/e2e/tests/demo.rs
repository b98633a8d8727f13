//! The demonstration, as people start it.

use std::process::Command;

#[test]
fn the_story_ends_well_and_every_claim_holds() {
    let run = Command::new(env!("CARGO_BIN_EXE_e2e")).arg("demo").output().unwrap();
    let shown = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{shown}{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(shown.matches("\n   holds   ").count(), 11, "{shown}");
    assert!(!shown.contains('\u{1b}'), "no colours where no terminal is");
}
