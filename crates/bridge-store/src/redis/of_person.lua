-- connection, where to go on, the end user's id
-- Returns where to go on next, 0 at the end, and the handoffs found on the way, as JSON.
local connection, cursor, person = ARGV[1], ARGV[2], ARGV[3]
local some = redis.call('SSCAN', handoffs_key(connection), cursor, 'COUNT', 500)
local answer = { some[1] }
for _, id in ipairs(some[2]) do
  local key = handoff_key(connection, id)
  local whose = redis.call('HGET', key, 'person')
  local handoff = (not whose or whose == person) and redis.call('HGET', key, 'handoff')
  if handoff and not whose then
    -- Stored by a version that did not look for people.
    local platform = cjson.decode(handoff).platform
    whose = type(platform) == 'table' and platform.user or ''
    redis.call('HSET', key, 'person', whose)
  end
  if handoff and whose == person then answer[#answer + 1] = handoff end
end
return answer
