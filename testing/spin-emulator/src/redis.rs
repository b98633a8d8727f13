//! `fermyon:spin/redis`.

use std::sync::Arc;

use anyhow::Context as _;
use hyper_rustls::ConfigBuilderExt as _;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, ConnectionAddr, ErrorKind, FromRedisValue, RedisError, Value, cmd};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use wasmtime::component::Resource;

use crate::bindings::redis::{Error, Host, HostConnection, RedisParameter, RedisResult};
use crate::state::State;

type Reply<T> = wasmtime::Result<Result<T, Error>>;

impl State {
    async fn ask<T: FromRedisValue>(&mut self, connection: &Resource<MultiplexedConnection>, command: Cmd) -> Reply<T> {
        // A clone sends over the same connection.
        let mut connection = self.table.get(connection)?.clone();
        Ok(command.query_async(&mut connection).await.map_err(failed))
    }

    /// A separate connection for each `open`, as in Spin: an outage and a recovery of Redis are noticed at once, without
    /// retries in between.
    async fn connect(&mut self, address: &str) -> Result<MultiplexedConnection, Error> {
        let over_tls = address.strip_prefix("rediss://").map(|rest| format!("redis://{rest}"));
        let scheme = if over_tls.is_some() { "rediss" } else { "redis" };
        let client = redis::Client::open(over_tls.as_deref().unwrap_or(address)).map_err(|_| Error::InvalidAddress)?;
        let info = client.get_connection_info();
        let ConnectionAddr::Tcp(host, port) = &info.addr else {
            return Err(Error::InvalidAddress);
        };
        if !self.app.allowed.allows(scheme, host, *port) {
            self.app.host_log.line(&format!("refused: {scheme}://{host}:{port} is not in allowed_outbound_hosts"));
            return Err(Error::InvalidAddress);
        }
        if over_tls.is_none() {
            return client.get_multiplexed_async_connection().await.map_err(failed);
        }
        let name = ServerName::try_from(host.clone()).map_err(|_| Error::InvalidAddress)?;
        let refused = |error: std::io::Error| Error::Other(error.to_string());
        let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(refused)?;
        let stream = self.app.redis_tls.connect(name, stream).await.map_err(refused)?;
        let (connection, driver) = MultiplexedConnection::new(&info.redis, stream).await.map_err(failed)?;
        // Ends when the last clone of the connection is dropped.
        tokio::spawn(driver);
        Ok(connection)
    }
}

/// The TLS of `rediss://`. `authorities`: PEM text of those whose word counts, in place of Mozilla's list.
pub(crate) fn tls(authorities: Option<&str>) -> anyhow::Result<TlsConnector> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = match authorities {
        None => builder.with_webpki_roots(),
        Some(pem) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                roots.add(certificate.context("redis_authorities: this is not PEM")?)?;
            }
            builder.with_root_certificates(roots)
        }
    };
    Ok(TlsConnector::from(Arc::new(builder.with_no_client_auth())))
}

fn failed(error: RedisError) -> Error {
    match error.kind() {
        ErrorKind::TypeError => Error::TypeError,
        _ => Error::Other(error.to_string()),
    }
}

impl Host for State {}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Reply<Resource<MultiplexedConnection>> {
        match self.connect(&address).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn publish(&mut self, on: Resource<MultiplexedConnection>, channel: String, payload: Vec<u8>) -> Reply<()> {
        self.ask(&on, Cmd::publish(channel, payload)).await
    }

    async fn get(&mut self, on: Resource<MultiplexedConnection>, key: String) -> Reply<Option<Vec<u8>>> {
        self.ask(&on, Cmd::get(key)).await
    }

    async fn set(&mut self, on: Resource<MultiplexedConnection>, key: String, value: Vec<u8>) -> Reply<()> {
        self.ask(&on, Cmd::set(key, value)).await
    }

    async fn incr(&mut self, on: Resource<MultiplexedConnection>, key: String) -> Reply<i64> {
        self.ask(&on, Cmd::incr(key, 1)).await
    }

    async fn del(&mut self, on: Resource<MultiplexedConnection>, keys: Vec<String>) -> Reply<u32> {
        self.ask(&on, Cmd::del(keys)).await
    }

    async fn sadd(&mut self, on: Resource<MultiplexedConnection>, key: String, values: Vec<String>) -> Reply<u32> {
        self.ask(&on, Cmd::sadd(key, values)).await
    }

    async fn smembers(&mut self, on: Resource<MultiplexedConnection>, key: String) -> Reply<Vec<String>> {
        self.ask(&on, Cmd::smembers(key)).await
    }

    async fn srem(&mut self, on: Resource<MultiplexedConnection>, key: String, values: Vec<String>) -> Reply<u32> {
        self.ask(&on, Cmd::srem(key, values)).await
    }

    async fn execute(
        &mut self,
        on: Resource<MultiplexedConnection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Reply<Vec<RedisResult>> {
        let mut command = cmd(&command);
        for argument in arguments {
            match argument {
                RedisParameter::Int64(number) => command.arg(number),
                RedisParameter::Binary(bytes) => command.arg(bytes),
            };
        }
        Ok(match self.ask::<Value>(&on, command).await? {
            Ok(value) => {
                let mut results = Vec::new();
                flatten(value, &mut results).map(|()| results)
            }
            Err(error) => Err(error),
        })
    }

    async fn drop(&mut self, on: Resource<MultiplexedConnection>) -> wasmtime::Result<()> {
        self.table.delete(on)?;
        Ok(())
    }
}

/// One flat list, regardless of nesting, as in Spin. An empty array adds nothing.
fn flatten(value: Value, results: &mut Vec<RedisResult>) -> Result<(), Error> {
    let result = match value {
        Value::Nil => RedisResult::Nil,
        Value::Int(number) => RedisResult::Int64(number),
        Value::Boolean(is) => RedisResult::Int64(is.into()),
        Value::BulkString(bytes) => RedisResult::Binary(bytes),
        Value::Double(number) => RedisResult::Binary(number.to_string().into_bytes()),
        Value::SimpleString(text) => RedisResult::Status(text),
        Value::Okay => RedisResult::Status("OK".to_owned()),
        Value::Array(values) | Value::Set(values) => {
            return values.into_iter().try_for_each(|value| flatten(value, results));
        }
        Value::ServerError(error) => return Err(Error::Other(format!("{error:?}"))),
        // Only in the newer protocol, which is not requested.
        _ => return Err(Error::Other("this type of answer is not supported".to_owned())),
    };
    results.push(result);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_arrays_become_one_list() {
        let value = Value::Array(vec![
            Value::Int(1),
            Value::Array(vec![Value::Nil, Value::Array(Vec::new()), Value::Okay]),
            Value::BulkString(b"x".to_vec()),
        ]);
        let mut results = Vec::new();
        flatten(value, &mut results).unwrap();
        assert!(matches!(
            &results[..],
            [RedisResult::Int64(1), RedisResult::Nil, RedisResult::Status(ok), RedisResult::Binary(x)] if ok == "OK" && x == b"x"
        ));
    }
}
