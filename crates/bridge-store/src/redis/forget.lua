-- before when; then connections for which another time counts, each with it
local before, own, newest = ARGV[1], {}, tonumber(ARGV[1])
for argument = 2, #ARGV, 2 do
  own[ARGV[argument]] = tonumber(ARGV[argument + 1])
  newest = math.max(newest, own[ARGV[argument]])
end
local found = redis.call('ZRANGEBYSCORE', OVER, '-inf', '(' .. digits(newest), 'WITHSCORES')
for place = 1, #found, 2 do
  local full_id, changed_at = found[place], tonumber(found[place + 1])
  local connection, id = string.match(full_id, '^([^/]*)/(.*)$')
  local key, limit = handoff_key(connection, id), own[connection] or tonumber(before)
  -- A lease that was never given back counts as one for as long as what is over is kept: what is unsure about it matters.
  if changed_at < limit and tonumber(redis.call('HGET', key, 'leased_until') or '0') < limit then
    forget_conversations(connection, id)
    redis.call('UNLINK', key)
    empty_inbox(connection, id)
    forget_log(connection, id)
    redis.call('ZREM', ended_key(connection), id)
    redis.call('SREM', handoffs_key(connection), id)
    redis.call('ZREM', OVER, full_id)
  end
end
return 0
