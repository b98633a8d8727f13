-- connection, since when, only what failed
-- Returns handoff, first try, number of tries and JSON of each delivery, one after the other, the last try first.
local connection, since, only_bad = unpack(ARGV)
local places = {}
for _, is_bad in ipairs(only_bad == '1' and { '1' } or { '0', '1' }) do
  local ids = redis.call('ZRANGEBYSCORE', log_order_key(connection, is_bad), since, '+inf', 'WITHSCORES')
  for place = 1, #ids, 2 do places[#places + 1] = { ids[place], tonumber(ids[place + 1]) } end
end
table.sort(places, function(one, other)
  if one[2] ~= other[2] then return one[2] > other[2] end
  return one[1] < other[1]
end)
local found = {}
for _, place in ipairs(places) do
  local stored = redis.call('HGET', log_key(connection), place[1])
  if stored then
    for _, part in ipairs({ string.match(stored, '^(%S*) (%d+) (%d+) (.*)$') }) do found[#found + 1] = part end
  end
end
return found
