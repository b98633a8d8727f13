-- connection, at most how many
local connection, limit = ARGV[1], tonumber(ARGV[2])
-- Up to -1 would be all.
if limit == 0 then return {} end
local found = {}
for _, id in ipairs(redis.call('ZREVRANGE', ended_key(connection), 0, digits(limit - 1))) do
  found[#found + 1] = redis.call('HGET', handoff_key(connection, id), 'handoff')
end
return found
