-- connection, id, number of the lease
-- The key stays even if nothing was ever saved: a number that is used twice would let whoever was overtaken save.
local connection, id, lease = unpack(ARGV)
local key = handoff_key(connection, id)
if redis.call('HGET', key, 'lease') == lease then
  redis.call('HSET', key, 'doing', '', 'leased_until', '0')
  redis.call('ZREM', begun_key(connection), id)
end
return 0
