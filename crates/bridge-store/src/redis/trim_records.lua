-- kind, the caller's time, at most how many stay
local kind, now, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function forget(names)
  for _, name in ipairs(names) do
    redis.call('UNLINK', record_key(kind, name))
    redis.call('ZREM', records_key(kind), name)
  end
end
forget(redis.call('ZRANGEBYSCORE', records_key(kind), '-inf', now))
-- By their ends, and then by their names.
local surplus = redis.call('ZCARD', records_key(kind)) - most
if surplus > 0 then forget(redis.call('ZRANGE', records_key(kind), 0, surplus - 1)) end
return 0
