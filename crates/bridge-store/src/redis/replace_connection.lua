-- connection, what is stored, what is to be stored instead
if redis.call('HGET', CONNECTIONS, ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', CONNECTIONS, ARGV[1], ARGV[3])
return 1
