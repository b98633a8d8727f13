-- kind, the caller's time, at most how many
-- Returns name, value and end of each, one after the other.
local kind, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3])
local names, found = redis.call('ZRANGEBYSCORE', records_key(kind), '(' .. now, '+inf'), {}
table.sort(names, function(one, other) return one > other end)
for _, name in ipairs(names) do
  if #found >= 3 * limit then break end
  local record = redis.call('HMGET', record_key(kind, name), 'value', 'expires_at')
  -- By the server's clock it may have expired already.
  if record[1] then
    found[#found + 1] = name
    found[#found + 1] = record[1]
    found[#found + 1] = record[2]
  end
end
return found
