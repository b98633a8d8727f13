-- kind, name, the caller's time, when a new one expires
local kind, name, now, expires_at = unpack(ARGV)
local key = record_key(kind, name)
local before = redis.call('HGET', key, 'expires_at')
if before and tonumber(before) > tonumber(now) then return redis.call('HINCRBY', key, 'value', 1) end
redis.call('HSET', key, 'value', '1', 'expires_at', expires_at)
redis.call('PEXPIREAT', key, expires_at)
redis.call('ZADD', records_key(kind), expires_at, name)
return 1
