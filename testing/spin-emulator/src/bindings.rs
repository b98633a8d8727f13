//! Spin's interfaces in Rust, generated from `wit/spin.wit`.

#[allow(missing_docs, unreachable_pub, clippy::all)]
mod generated {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "app",
        imports: {
            "fermyon:spin/variables": trappable,
            default: async | trappable,
        },
        with: {
            "fermyon:spin/sqlite.connection": crate::sqlite::SqlConnection,
            "fermyon:spin/redis.connection": redis::aio::MultiplexedConnection,
            "fermyon:spin/key-value.store": crate::key_value::Store,
        },
    });
}

pub(crate) use generated::App as SpinInterfaces;
pub(crate) use generated::fermyon::spin::{key_value, redis, sqlite, variables};
