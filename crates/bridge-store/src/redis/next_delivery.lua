-- connection, handoff, id of the delivery that is done or ''
-- Returns the oldest that waits, as JSON, or nil.
local connection, id, done = ARGV[1], ARGV[2], ARGV[3]
if done ~= '' then remove_delivery(connection, id, done) end
return oldest_delivery(connection, id)
