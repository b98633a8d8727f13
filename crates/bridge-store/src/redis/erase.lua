-- connection, id, number of the lease, the caller's time
-- Returns 0 when the lease has gone to somebody else. The lease's number stays, as in give_back.
local connection, id, lease, now = unpack(ARGV)
local key, full_id = handoff_key(connection, id), connection .. '/' .. id
if redis.call('HGET', key, 'lease') ~= lease then return 0 end
redis.call('HDEL', key, 'handoff', 'person')
redis.call('HSET', key, 'unsure', '', 'doing', '', 'leased_until', '0')
forget_conversations(connection, id)
empty_inbox(connection, id)
forget_log(connection, id)
redis.call('ZREM', ended_key(connection), id)
redis.call('ZREM', begun_key(connection), id)
redis.call('ZREM', open_key(connection), id)
redis.call('ZREM', DUE, full_id)
redis.call('ZADD', OVER, now, full_id)
return 1
