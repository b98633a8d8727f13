-- connection, handoff
-- What waits for it, oldest first, as JSON.
local connection, id = ARGV[1], ARGV[2]
local found = {}
for _, delivery in ipairs(redis.call('LRANGE', inbox_key(connection, id), 0, -1)) do
  found[#found + 1] = redis.call('HGET', deliveries_key(connection, id), delivery)
end
return found
