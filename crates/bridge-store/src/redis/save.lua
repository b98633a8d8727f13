-- connection, id, number of the lease, handoff as JSON, last change, when tick is due or '', is it with humans, is it over,
-- unsure words, the end user's id, ids of deliveries that were worked off; then its conversations
-- Returns 0 when the lease has gone to somebody else, 2 when deliveries wait, otherwise 1.
local connection, id, lease, handoff, updated_at, next_tick_at, is_open, is_over, unsure, person, worked_off = unpack(ARGV, 1, 11)
local key = handoff_key(connection, id)
-- The number alone decides: a lease whose time is up is good as long as nobody has taken it, and a save whose answer was
-- lost can be repeated.
if redis.call('HGET', key, 'lease') ~= lease then return 0 end
redis.call('HSET', key, 'handoff', handoff, 'unsure', unsure, 'doing', '', 'leased_until', '0', 'person', person)

redis.call('ZREM', begun_key(connection), id)

local function place(index, member, score, belongs)
  if belongs then redis.call('ZADD', index, score, member) else redis.call('ZREM', index, member) end
end
local full_id = connection .. '/' .. id
place(DUE, full_id, next_tick_at, next_tick_at ~= '')
place(OVER, full_id, updated_at, is_over == '1')
place(open_key(connection), id, updated_at, is_open == '1')
place(ended_key(connection), id, updated_at, is_open ~= '1')

for argument = 12, #ARGV do
  local conversation = ARGV[argument]
  -- Nothing is written, and nothing goes to replicas, for one that is known already.
  if redis.call('HGET', conversations_key(connection), conversation) ~= id then
    redis.call('HSET', conversations_key(connection), conversation, id)
    redis.call('SADD', named_key(connection, id), conversation)
  end
end
if redis.call('EXISTS', inbox_key(connection, id)) == 0 then return 1 end
for delivery in string.gmatch(worked_off, '%S+') do remove_delivery(connection, id, delivery) end
return redis.call('EXISTS', inbox_key(connection, id)) + 1
