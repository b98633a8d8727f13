-- connection
-- When the oldest delivery came that waits for its handoffs, or nil; looks at the thousand handoffs of all that are due first.
local connection, oldest = ARGV[1], nil
local prefix = connection .. '/'
for _, full_id in ipairs(redis.call('ZRANGE', INBOX_DUE, 0, 999)) do
  if string.sub(full_id, 1, #prefix) == prefix then
    local id = string.sub(full_id, #prefix + 1)
    local delivery = redis.call('LINDEX', inbox_key(connection, id), 0)
    local json = delivery and redis.call('HGET', deliveries_key(connection, id), delivery)
    local at = json and tonumber(string.match(json, '"received_at":(%d+)'))
    if at and (not oldest or at < oldest) then oldest = at end
  end
end
return oldest and digits(oldest)
