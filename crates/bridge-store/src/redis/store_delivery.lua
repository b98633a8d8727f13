-- connection, handoff, id of the delivery, delivery as JSON, when it is due; most deliveries and bytes of the handoff, and of the connection
-- Returns 0 when there is no room.
local connection, id, delivery, json, due_at = unpack(ARGV, 1, 5)
local most, most_bytes, most_of_all, most_bytes_of_all = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
-- Nothing waits for a handoff that has gone meanwhile.
if redis.call('EXISTS', handoff_key(connection, id)) == 0 then return 0 end
if redis.call('HEXISTS', deliveries_key(connection, id), delivery) == 1 then return 1 end
local size_key = inbox_size_key(connection)
local sizes = redis.call('HMGET', size_key, 'count', 'bytes', 'bytes/' .. id)
local count, bytes, own_bytes = tonumber(sizes[1] or '0'), tonumber(sizes[2] or '0'), tonumber(sizes[3] or '0')
if redis.call('LLEN', inbox_key(connection, id)) >= most or own_bytes + #json > most_bytes
  or count >= most_of_all or bytes + #json > most_bytes_of_all then return 0 end

redis.call('RPUSH', inbox_key(connection, id), delivery)
redis.call('HSET', deliveries_key(connection, id), delivery, json)
redis.call('HINCRBY', size_key, 'count', 1)
redis.call('HINCRBY', size_key, 'bytes', #json)
redis.call('HINCRBY', size_key, 'bytes/' .. id, #json)
-- Due when those before it are.
redis.call('ZADD', INBOX_DUE, 'NX', due_at, connection .. '/' .. id)
return 1
