-- connection, the caller's time; then names and amounts
local connection, now = ARGV[1], ARGV[2]
-- Nothing is counted for a connection that has gone meanwhile.
if redis.call('HEXISTS', CONNECTIONS, connection) == 0 then return 0 end
for argument = 3, #ARGV, 2 do
  redis.call('HINCRBY', counts_key(connection), ARGV[argument], ARGV[argument + 1])
  redis.call('HSET', counted_at_key(connection), ARGV[argument], now)
end
return 1
