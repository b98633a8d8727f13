-- connection
-- Returns name, value and time of each count, one after the other.
local connection, found = ARGV[1], {}
local values = redis.call('HGETALL', counts_key(connection))
for place = 1, #values, 2 do
  found[#found + 1] = values[place]
  found[#found + 1] = values[place + 1]
  found[#found + 1] = redis.call('HGET', counted_at_key(connection), values[place]) or '0'
end
return found
