-- connection, id, number of the lease, for how many ms
local connection, id, lease, for_ms = unpack(ARGV)
local key = handoff_key(connection, id)
local stored = redis.call('HMGET', key, 'lease', 'leased_until')
if stored[1] ~= lease or stored[2] == '0' then return 0 end
redis.call('HSET', key, 'leased_until', digits(clock() + for_ms))
-- Only where it stands already.
redis.call('ZADD', begun_key(connection), 'XX', digits(clock() + for_ms), id)
return 1
