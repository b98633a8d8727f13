-- connection, handoff
-- What it is known by, sorted. A conversation may have gone to another handoff since.
local connection, id = ARGV[1], ARGV[2]
local found = {}
for _, conversation in ipairs(redis.call('SMEMBERS', named_key(connection, id))) do
  if redis.call('HGET', conversations_key(connection), conversation) == id then found[#found + 1] = conversation end
end
table.sort(found)
return found
