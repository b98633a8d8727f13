-- connection, handoff, id of the delivery that is done or ''
-- Returns the oldest that waits, as JSON, or nil.
local connection, id, done = ARGV[1], ARGV[2], ARGV[3]
local size_key = inbox_size_key(connection)
if done ~= '' and redis.call('LREM', inbox_key(connection, id), 1, done) == 1 then
  local bytes = redis.call('HSTRLEN', deliveries_key(connection, id), done)
  redis.call('HDEL', deliveries_key(connection, id), done)
  redis.call('HINCRBY', size_key, 'count', -1)
  redis.call('HINCRBY', size_key, 'bytes', -bytes)
  redis.call('HINCRBY', size_key, 'bytes/' .. id, -bytes)
  if redis.call('EXISTS', inbox_key(connection, id)) == 0 then empty_inbox(connection, id) end
end
local oldest = redis.call('LINDEX', inbox_key(connection, id), 0)
if not oldest then return false end
return redis.call('HGET', deliveries_key(connection, id), oldest)
