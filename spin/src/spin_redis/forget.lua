-- before when
local before = ARGV[1]
for _, full_id in ipairs(redis.call('ZRANGEBYSCORE', OVER, '-inf', '(' .. before)) do
  local connection, id = string.match(full_id, '^([^/]*)/(.*)$')
  local key = handoff_key(connection, id)
  -- A lease that was never given back counts as one for as long as what is over is kept: what is unsure about it matters.
  if tonumber(redis.call('HGET', key, 'leased_until') or '0') < tonumber(before) then
    for _, conversation in ipairs(redis.call('SMEMBERS', named_key(connection, id))) do
      -- It may have gone to another handoff since.
      if redis.call('HGET', conversations_key(connection), conversation) == id then
        redis.call('HDEL', conversations_key(connection), conversation)
      end
    end
    redis.call('UNLINK', key, named_key(connection, id))
    empty_inbox(connection, id)
    redis.call('SREM', handoffs_key(connection), id)
    redis.call('ZREM', OVER, full_id)
  end
end
return 0
