-- kind, name, value, when it expires, the caller's time, 1 for not over one that is there
local kind, name, value, expires_at, now, only_new = unpack(ARGV)
local key = record_key(kind, name)
local before = redis.call('HGET', key, 'expires_at')
if only_new == '1' and before and tonumber(before) > tonumber(now) then return 0 end
redis.call('HSET', key, 'value', value, 'expires_at', expires_at)
redis.call('PEXPIREAT', key, expires_at)
redis.call('ZADD', records_key(kind), expires_at, name)
return 1
