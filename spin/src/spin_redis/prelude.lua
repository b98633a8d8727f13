-- Stands before each script. No id holds a slash: what lies between two of them is one part, and a conversation, which may
-- hold anything, is a field or a member and never a part of a key.
local CONNECTIONS = 'fwh:connections' -- id -> JSON
local DUE = 'fwh:due'                 -- connection/id by when tick is due
local OVER = 'fwh:over'               -- connection/id by last change
local function handoffs_key(connection) return 'fwh:handoffs/' .. connection end           -- ids
local function open_key(connection) return 'fwh:open/' .. connection end                   -- ids by last change
local function begun_key(connection) return 'fwh:begun/' .. connection end                 -- ids of handoffs that begin, by the end of their lease
local function conversations_key(connection) return 'fwh:conversations/' .. connection end -- conversation -> id
local function handoff_key(connection, id) return 'fwh:handoff/' .. connection .. '/' .. id end
local function named_key(connection, id) return 'fwh:named/' .. connection .. '/' .. id end -- its conversations
local function counts_key(connection) return 'fwh:counts/' .. connection end               -- name -> value
local function counted_at_key(connection) return 'fwh:counted-at/' .. connection end       -- name -> time

-- The hosts' clocks differ; the server has one.
local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- Lua writes large numbers as 1.7e+12.
local function digits(number) return string.format('%.0f', number) end
