-- connection
local connection = ARGV[1]
for _, id in ipairs(redis.call('SMEMBERS', handoffs_key(connection))) do
  local full_id = connection .. '/' .. id
  redis.call('ZREM', DUE, full_id)
  redis.call('ZREM', OVER, full_id)
  redis.call('UNLINK', handoff_key(connection, id), named_key(connection, id))
  empty_inbox(connection, id)
end
redis.call('UNLINK', handoffs_key(connection), open_key(connection), begun_key(connection), conversations_key(connection))
redis.call('UNLINK', counts_key(connection), counted_at_key(connection))
redis.call('UNLINK', ended_key(connection), log_key(connection))
redis.call('UNLINK', log_order_key(connection, '0'), log_order_key(connection, '1'))
redis.call('UNLINK', inbox_size_key(connection))
redis.call('HDEL', RESTING, connection)
redis.call('HDEL', CONNECTIONS, connection)
return 0
