//! Prints the OpenAPI document of the API: `cargo run --features schema --example openapi > src/openapi.json`.

fn main() {
    println!("{:#}", freshworks_bridge::openapi::document());
}
