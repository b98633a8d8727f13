//! `fermyon:spin/redis`.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, ConnectionAddr, ErrorKind, FromRedisValue, RedisError, Value, cmd};
use wasmtime::component::Resource;

use crate::bindings::redis::{Error, Host, HostConnection, RedisParameter, RedisResult};
use crate::state::State;

type Answer<T> = wasmtime::Result<Result<T, Error>>;

impl State {
    async fn ask<T: FromRedisValue>(
        &mut self,
        connection: &Resource<MultiplexedConnection>,
        command: Cmd,
    ) -> Answer<T> {
        // A clone sends over the same connection.
        let mut connection = self.table.get(connection)?.clone();
        Ok(command.query_async(&mut connection).await.map_err(failed))
    }

    /// A connection of its own for each `open`, as in Spin: a Redis that is away is noticed at once, one that is back is
    /// reached at once. Nothing in between tries again.
    async fn connect(&mut self, address: &str) -> Result<MultiplexedConnection, Error> {
        let client = redis::Client::open(address).map_err(|_| Error::InvalidAddress)?;
        let ConnectionAddr::Tcp(host, port) = &client.get_connection_info().addr else {
            return Err(Error::InvalidAddress);
        };
        if !self.app.allowed.allows("redis", host, *port) {
            self.app.host_log.line(&format!("refused: redis://{host}:{port} is not in allowed_outbound_hosts"));
            return Err(Error::InvalidAddress);
        }
        client.get_multiplexed_async_connection().await.map_err(failed)
    }
}

fn failed(error: RedisError) -> Error {
    match error.kind() {
        ErrorKind::TypeError => Error::TypeError,
        _ => Error::Other(error.to_string()),
    }
}

impl Host for State {}

impl HostConnection for State {
    async fn open(&mut self, address: String) -> Answer<Resource<MultiplexedConnection>> {
        match self.connect(&address).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn publish(&mut self, on: Resource<MultiplexedConnection>, channel: String, payload: Vec<u8>) -> Answer<()> {
        self.ask(&on, Cmd::publish(channel, payload)).await
    }

    async fn get(&mut self, on: Resource<MultiplexedConnection>, key: String) -> Answer<Option<Vec<u8>>> {
        self.ask(&on, Cmd::get(key)).await
    }

    async fn set(&mut self, on: Resource<MultiplexedConnection>, key: String, value: Vec<u8>) -> Answer<()> {
        self.ask(&on, Cmd::set(key, value)).await
    }

    async fn incr(&mut self, on: Resource<MultiplexedConnection>, key: String) -> Answer<i64> {
        self.ask(&on, Cmd::incr(key, 1)).await
    }

    async fn del(&mut self, on: Resource<MultiplexedConnection>, keys: Vec<String>) -> Answer<u32> {
        self.ask(&on, Cmd::del(keys)).await
    }

    async fn sadd(&mut self, on: Resource<MultiplexedConnection>, key: String, values: Vec<String>) -> Answer<u32> {
        self.ask(&on, Cmd::sadd(key, values)).await
    }

    async fn smembers(&mut self, on: Resource<MultiplexedConnection>, key: String) -> Answer<Vec<String>> {
        self.ask(&on, Cmd::smembers(key)).await
    }

    async fn srem(&mut self, on: Resource<MultiplexedConnection>, key: String, values: Vec<String>) -> Answer<u32> {
        self.ask(&on, Cmd::srem(key, values)).await
    }

    async fn execute(
        &mut self,
        on: Resource<MultiplexedConnection>,
        command: String,
        arguments: Vec<RedisParameter>,
    ) -> Answer<Vec<RedisResult>> {
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

/// One flat list, whatever the nesting: what Spin returns. An empty array leaves nothing behind.
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
        // Of the newer protocol, which is not asked for.
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
