//! One test for each target. `bolero` runs the corpora in `__fuzz__`, then generated inputs.

use bolero::check;
use fuzz::{Target, bridge, core};

fn target(name: &str) -> &'static Target {
    let mut all = core::TARGETS.iter().chain(bridge::TARGETS);
    all.find(|target| target.name == name).expect("every test has a target")
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let target = target(stringify!($name));
                check!(name = stringify!($name)).for_each(|script: &[u8]| target.fuzz(script));
                let done = target.done();
                println!("fuzzed {} inputs {} slowest_us {}", target.name, done.inputs, done.slowest.as_micros());
            }
        )*

        #[test]
        fn every_target_has_a_test() {
            let tested = [$(stringify!($name)),*];
            for target in core::TARGETS.iter().chain(bridge::TARGETS) {
                assert!(tested.contains(&target.name), "{}", target.name);
            }
        }
    };
}

targets! {
    webhook_body peek vendor_answers session_bytes settings chat_url ticket_domain public_key transcript_split transcript_write
    plain_text quoted_mail masking delivery_headers bridge_bodies platform_events standard_webhooks bridge_paths
}
