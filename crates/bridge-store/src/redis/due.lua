-- the caller's time, at most how many
-- Returns how many handoffs are due in all; then, for each that is named, connection/id and since when its connection rests, or ''.
local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local at, all = {}, {}
for _, index in ipairs({ DUE, INBOX_DUE }) do
  local found = redis.call('ZRANGEBYSCORE', index, '-inf', ARGV[1], 'WITHSCORES')
  for place = 1, #found, 2 do
    local full_id, score = found[place], tonumber(found[place + 1])
    if not at[full_id] then all[#all + 1] = full_id end
    at[full_id] = math.min(at[full_id] or score, score)
  end
end
table.sort(all, function(one, other)
  if at[one] ~= at[other] then return at[one] < at[other] end
  return one < other
end)

-- Each connection's handoffs have turns; all first turns come before all second ones.
local turns, resting, named, last = {}, {}, {}, {}
for _, full_id in ipairs(all) do
  local connection = string.match(full_id, '^([^/]*)/')
  if resting[connection] == nil then resting[connection] = redis.call('HGET', RESTING, connection) or '' end
  turns[connection] = (turns[connection] or 0) + 1
  if resting[connection] == '' then
    named[#named + 1] = { full_id, turns[connection], '' }
  elseif turns[connection] == 1 then
    local since, until_when = string.match(resting[connection], '^(%d+) (%d+)$')
    if tonumber(until_when) <= now then last[#last + 1] = { full_id, 1, since } end
  end
end
table.sort(named, function(one, other)
  if one[2] ~= other[2] then return one[2] < other[2] end
  if at[one[1]] ~= at[other[1]] then return at[one[1]] < at[other[1]] end
  return one[1] < other[1]
end)

local answer = { tostring(#all) }
for _, list in ipairs({ named, last }) do
  for _, one in ipairs(list) do
    if #answer > 2 * limit then return answer end
    answer[#answer + 1] = one[1]
    answer[#answer + 1] = one[3]
  end
end
return answer
