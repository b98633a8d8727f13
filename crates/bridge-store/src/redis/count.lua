-- connection, the caller's time, when the log begins, how many deliveries of a kind it keeps, how many counts come, the names below which
-- counts of hours and of days are over; then names and amounts; then deliveries: id, handoff, time, has it failed, only if it is new, tries, JSON
local connection, now, log_begins, most, counts, hours_begin, days_begin = unpack(ARGV, 1, 7)
-- Nothing is counted for a connection that has gone meanwhile.
if redis.call('HEXISTS', CONNECTIONS, connection) == 0 then return 0 end
local first_entry, is_new_trend = 8 + 2 * tonumber(counts), false
for argument = 8, first_entry - 1, 2 do
  local name, amount = ARGV[argument], ARGV[argument + 1]
  local sum = redis.call('HINCRBY', counts_key(connection), name, amount)
  redis.call('HSET', counted_at_key(connection), name, now)
  is_new_trend = is_new_trend or (sum == tonumber(amount) and string.match(name, '^hour|') ~= nil)
end
-- Once for each hour at most.
if is_new_trend then
  for _, name in ipairs(redis.call('HKEYS', counts_key(connection))) do
    if (string.match(name, '^hour|') and name < hours_begin) or (string.match(name, '^day|') and name < days_begin) then
      redis.call('HDEL', counts_key(connection), name)
      redis.call('HDEL', counted_at_key(connection), name)
    end
  end
end

local key = log_key(connection)
local function forget(is_bad, ids)
  for _, id in ipairs(ids) do
    redis.call('HDEL', key, id)
    redis.call('ZREM', log_order_key(connection, is_bad), id)
  end
end
for argument = first_entry, #ARGV, 7 do
  local id, handoff, at, is_bad, only_new, more, entry = unpack(ARGV, argument, argument + 6)
  local before = redis.call('HGET', key, id)
  if not before or only_new == '0' then
    local first_at, tries = at, 0
    if before then
      local stored_first, stored_tries = string.match(before, '^%S* (%d+) (%d+) ')
      first_at, tries = stored_first or at, tonumber(stored_tries or '0')
    end
    -- What was erased meanwhile is logged without its handoff.
    if redis.call('HEXISTS', handoff_key(connection, handoff), 'handoff') == 0 then handoff = '' end
    redis.call('HSET', key, id, handoff .. ' ' .. first_at .. ' ' .. digits(tries + more) .. ' ' .. entry)
    redis.call('ZREM', log_order_key(connection, is_bad == '1' and '0' or '1'), id)
    redis.call('ZADD', log_order_key(connection, is_bad), at, id)
  end
end
if first_entry <= #ARGV then
  for _, is_bad in ipairs({ '0', '1' }) do
    local order = log_order_key(connection, is_bad)
    forget(is_bad, redis.call('ZRANGEBYSCORE', order, '-inf', '(' .. log_begins))
    local surplus = redis.call('ZCARD', order) - tonumber(most)
    if surplus > 0 then forget(is_bad, redis.call('ZRANGE', order, 0, surplus - 1)) end
  end
end
return 1
