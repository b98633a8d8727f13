-- Stands before each script. No id holds a slash: what lies between two of them is one part, and a conversation, which may
-- hold anything, is a field or a member and never a part of a key.
local CONNECTIONS = 'fwh:connections' -- id -> sealed JSON
local DUE = 'fwh:due'                 -- connection/id by when tick is due
local INBOX_DUE = 'fwh:inbox-due'     -- connection/id by when deliveries that wait are due
local RESTING = 'fwh:resting'         -- connection -> since and until when it rests
local OVER = 'fwh:over'               -- connection/id by last change
local function handoffs_key(connection) return 'fwh:handoffs/' .. connection end           -- ids
local function open_key(connection) return 'fwh:open/' .. connection end                   -- ids by last change
local function begun_key(connection) return 'fwh:begun/' .. connection end                 -- ids of handoffs that begin, by the end of their lease
local function conversations_key(connection) return 'fwh:conversations/' .. connection end -- conversation -> id
local function handoff_key(connection, id) return 'fwh:handoff/' .. connection .. '/' .. id end
local function named_key(connection, id) return 'fwh:named/' .. connection .. '/' .. id end -- its conversations
local function counts_key(connection) return 'fwh:counts/' .. connection end               -- name -> value
local function counted_at_key(connection) return 'fwh:counted-at/' .. connection end       -- name -> time
local function inbox_key(connection, id) return 'fwh:inbox/' .. connection .. '/' .. id end -- ids of its deliveries, oldest first
local function deliveries_key(connection, id) return 'fwh:deliveries/' .. connection .. '/' .. id end -- id of a delivery -> JSON
local function inbox_size_key(connection) return 'fwh:inbox-size/' .. connection end       -- count, bytes, and bytes/id of each handoff
local function records_key(kind) return 'fwh:records/' .. kind end                          -- names by the end of their records
local function record_key(kind, name) return 'fwh:record/' .. kind .. '/' .. name end      -- value, and when it expires
local function ended_key(connection) return 'fwh:ended/' .. connection end                  -- ids of handoffs that are not open, by last change
local function log_key(connection) return 'fwh:log/' .. connection end                      -- id of a delivery -> its handoff, when it was tried first, how often, and JSON
local function log_order_key(connection, is_bad)                                            -- ids of deliveries by their last try
  return (is_bad == '1' and 'fwh:log-bad/' or 'fwh:log-good/') .. connection
end

-- Forgets the deliveries of a handoff.
local function forget_log(connection, id)
  local all = redis.call('HGETALL', log_key(connection))
  for place = 1, #all, 2 do
    if string.match(all[place + 1], '^(%S*) ') == id then
      redis.call('HDEL', log_key(connection), all[place])
      redis.call('ZREM', log_order_key(connection, '0'), all[place])
      redis.call('ZREM', log_order_key(connection, '1'), all[place])
    end
  end
end

-- Forgets what a handoff is known by. It may have gone to another handoff since.
local function forget_conversations(connection, id)
  for _, conversation in ipairs(redis.call('SMEMBERS', named_key(connection, id))) do
    if redis.call('HGET', conversations_key(connection), conversation) == id then
      redis.call('HDEL', conversations_key(connection), conversation)
    end
  end
  redis.call('UNLINK', named_key(connection, id))
end

-- Forgets what waits for a handoff.
local function empty_inbox(connection, id)
  local size_key, waiting = inbox_size_key(connection), redis.call('LLEN', inbox_key(connection, id))
  if waiting > 0 then
    redis.call('HINCRBY', size_key, 'count', -waiting)
    redis.call('HINCRBY', size_key, 'bytes', -tonumber(redis.call('HGET', size_key, 'bytes/' .. id) or '0'))
  end
  redis.call('HDEL', size_key, 'bytes/' .. id)
  redis.call('UNLINK', inbox_key(connection, id), deliveries_key(connection, id))
  redis.call('ZREM', INBOX_DUE, connection .. '/' .. id)
end

local function remove_delivery(connection, id, delivery)
  if redis.call('LREM', inbox_key(connection, id), 1, delivery) == 0 then return end
  local size_key = inbox_size_key(connection)
  local bytes = redis.call('HSTRLEN', deliveries_key(connection, id), delivery)
  redis.call('HDEL', deliveries_key(connection, id), delivery)
  redis.call('HINCRBY', size_key, 'count', -1)
  redis.call('HINCRBY', size_key, 'bytes', -bytes)
  redis.call('HINCRBY', size_key, 'bytes/' .. id, -bytes)
  if redis.call('EXISTS', inbox_key(connection, id)) == 0 then empty_inbox(connection, id) end
end

local function oldest_delivery(connection, id)
  local oldest = redis.call('LINDEX', inbox_key(connection, id), 0)
  return oldest and redis.call('HGET', deliveries_key(connection, id), oldest)
end

-- The hosts' clocks differ; the server has one.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua writes large numbers as 1.7e+12.
local function digits(number) return string.format('%.0f', number) end
