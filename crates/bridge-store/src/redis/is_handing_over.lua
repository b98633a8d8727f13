-- connection
-- Leases whose time is up are those of hosts that died: nobody looks for them any more.
local key = begun_key(ARGV[1])
redis.call('ZREMRANGEBYSCORE', key, '-inf', digits(clock()))
if redis.call('ZCARD', key) > 0 then return 1 end
return 0
