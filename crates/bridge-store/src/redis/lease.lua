-- connection, id, what is begun, the caller's time, for how many ms, most words that are kept as unsure, 'begins' for a
-- handoff that begins, 'known' for one that must exist
-- Returns nothing while somebody else has it; else the number, the unsure words, and as JSON or nil the handoff and the oldest delivery
-- that waits.
local connection, id, doing, now, for_ms, most, how = unpack(ARGV)
local key = handoff_key(connection, id)
local stored = redis.call('HMGET', key, 'lease', 'leased_until', 'doing', 'unsure', 'handoff')
local number = tonumber(stored[1] or '0') + 1
local until_now = tonumber(stored[2] or '0')
local time = clock()
if until_now > time or (how == 'known' and not stored[5]) then return {} end

if not stored[1] then
  redis.call('SADD', handoffs_key(connection), id)
  -- Nothing may ever be saved under it: then it is forgotten like one that is over.
  redis.call('ZADD', OVER, now, connection .. '/' .. id)
end

local unsure = stored[4] or ''
-- 0 is "given back". Otherwise whoever had it is gone, and what came of that is not known.
if until_now ~= 0 and stored[3] ~= '' then
  local words, known = {}, false
  for word in string.gmatch(unsure, '%S+') do
    words[#words + 1] = word
    known = known or word == stored[3]
  end
  if not known then
    words[#words + 1] = stored[3]
    if #words > tonumber(most) then table.remove(words, 1) end
    unsure = table.concat(words, ' ')
  end
end

redis.call('HSET', key, 'lease', digits(number), 'leased_until', digits(time + for_ms), 'doing', doing, 'unsure', unsure)
if how == 'begins' then redis.call('ZADD', begun_key(connection), digits(time + for_ms), id) end
return { number, unsure, stored[5], oldest_delivery(connection, id) }
