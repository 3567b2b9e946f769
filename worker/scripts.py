"""The Lua that runs inside the broker: each script is one atomic step, or none.

Commands: https://valkey.io/commands/ (xadd, xpending, xclaim, xautoclaim, xgroup; read 2026-11-24), as of Redis 6.2.
A server over its memory limit refuses the first write of a script that may grow and lets the rest of a script that
has already written pass; so what frees memory (`ACK`) begins with a write that frees, and still works then.
"""

ENQUEUE = """
-- One entry a lane for a batch of deliveries, one field each.
-- KEYS: live, heavy, backlog by connection, backlog in all, revoked connections
-- ARGV: mark, share, heavy limit (bytes), then connection and payload by turns
-- Returns a letter a delivery: . kept, R revoked, S over its share, M over the mark
local mark, share, heavy = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local total = tonumber(redis.call('GET', KEYS[4]) or '0')
local held, added, revoked, verdicts = {}, {}, {}, {}
local entries = {{'XADD', KEYS[1], '*'}, {'XADD', KEYS[2], '*'}}
local added_in_all = 0
for i = 4, #ARGV, 2 do
  local connection, payload = ARGV[i], ARGV[i + 1]
  if held[connection] == nil then
    held[connection] = tonumber(redis.call('HGET', KEYS[3], connection) or '0')
    revoked[connection] = redis.call('SISMEMBER', KEYS[5], connection) == 1
  end
  local verdict = '.'
  if revoked[connection] then
    verdict = 'R'
  elseif held[connection] > share then
    verdict = 'S'
  elseif total > 0 and total + #payload > mark then
    verdict = 'M'
  else
    local entry = entries[held[connection] > heavy and 2 or 1]
    -- the number keeps names apart: clients read the fields of an entry into a mapping
    entry[#entry + 1] = (i - 4) / 2 .. ':' .. connection
    entry[#entry + 1] = payload
    held[connection] = held[connection] + #payload
    added[connection] = (added[connection] or 0) + #payload
    added_in_all = added_in_all + #payload
    total = total + #payload
  end
  verdicts[#verdicts + 1] = verdict
end
for _, entry in ipairs(entries) do
  if #entry > 3 then redis.call(unpack(entry)) end
end
for connection, size in pairs(added) do
  redis.call('HINCRBY', KEYS[3], connection, size)
end
if added_in_all > 0 then redis.call('INCRBY', KEYS[4], added_in_all) end
return table.concat(verdicts)
"""

ACK = """
-- Ends one entry and gives its bytes back; does nothing when the entry is no longer ours.
-- KEYS: stream, live, heavy, backlog by connection, backlog in all
-- ARGV: group, consumer, entry id, then connection and bytes by turns
-- Returns 1 when it was ours, else 0
local id = ARGV[3]
if #redis.call('XPENDING', KEYS[1], ARGV[1], id, id, 1, ARGV[2]) == 0 then return 0 end
redis.call('XACK', KEYS[1], ARGV[1], id)
redis.call('XDEL', KEYS[1], id)
for i = 4, #ARGV, 2 do
  if redis.call('HINCRBY', KEYS[4], ARGV[i], -ARGV[i + 1]) <= 0 then redis.call('HDEL', KEYS[4], ARGV[i]) end
  redis.call('DECRBY', KEYS[5], ARGV[i + 1])
end
-- an empty queue holds nothing, whatever a hand at the console did to its entries
if redis.call('XLEN', KEYS[2]) + redis.call('XLEN', KEYS[3]) == 0 then redis.call('DEL', KEYS[4], KEYS[5]) end
return 1
"""

OPEN = """
-- Makes the group where it is missing and drops consumers that are long gone with nothing pending.
-- KEYS: stream; ARGV: group, idle milliseconds after which a consumer is gone, names that always stay
-- XGROUP CREATE comes second: over the memory limit it is refused, even for a group that is there.
if redis.pcall('XPENDING', KEYS[1], ARGV[1]).err then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
end
local stays = {}
for i = 3, #ARGV do stays[ARGV[i]] = true end
for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local about = {}
  for i = 1, #consumer, 2 do about[consumer[i]] = consumer[i + 1] end
  if about.pending == 0 and about.idle > tonumber(ARGV[2]) and not stays[about.name] then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], about.name)
  end
end
"""

RECLAIM = """
-- Takes all that is pending under one name, uncounted.
-- KEYS: stream; ARGV: group, consumer, whose entries, how many at most, then entry ids to leave out
-- Returns {entry id, times delivered, {field, value, ...}} each
local leave, taken = {}, {}
for i = 5, #ARGV do leave[ARGV[i]] = true end
for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000, ARGV[3])) do
  if #taken >= tonumber(ARGV[4]) then break end
  local id, times = pending[1], pending[4]
  if not leave[id] then
    local entry = redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, id, 'RETRYCOUNT', times)[1]
    if entry then taken[#taken + 1] = {id, times, entry[2]} end
  end
end
return taken
"""

TAKE_OVER = """
-- Takes entries whose lease has run out, counted. What we hold ourselves is renewed first, were it late.
-- KEYS: stream; ARGV: group, consumer, lease in milliseconds, how many at most, then entry ids we hold
-- Returns {entry id, times delivered, {field, value, ...}} each
local lease, most, taken, cursor = tonumber(ARGV[3]), tonumber(ARGV[4]), {}, '0-0'
for i = 5, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
  if pending and pending[3] >= lease then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
repeat
  local found = redis.call('XAUTOCLAIM', KEYS[1], ARGV[1], ARGV[2], lease, cursor, 'COUNT', most - #taken)
  cursor = found[1]
  for _, entry in ipairs(found[2]) do
    local pending = entry and redis.call('XPENDING', KEYS[1], ARGV[1], entry[1], entry[1], 1)[1]
    if pending then taken[#taken + 1] = {entry[1], pending[4], entry[2]} end
  end
until cursor == '0-0' or #taken >= most
return taken
"""

RENEW = """
-- Starts the leases of entries anew, of those that are still ours only.
-- KEYS: stream; ARGV: group, consumer, then entry ids. Returns the ids that are ours no longer
local lost = {}
for i = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) == 0 then
    lost[#lost + 1] = ARGV[i]
  else
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
  end
end
return lost
"""

GIVE_BACK = """
-- Puts entries of ours where any worker takes them at once, uncounted.
-- KEYS: stream; ARGV: group, consumer, the name they wait under, then entry ids
for i = 4, #ARGV do
  local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2])[1]
  if pending then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, ARGV[i], 'RETRYCOUNT', pending[4], 'JUSTID')
  end
end
"""

RELEASE = """
-- Puts what a consumer held that is known to have ended where any worker takes it at once; counted, as a lease that
-- ran out would be.
-- KEYS: stream; ARGV: group, the name they wait under, how the consumer's name begins
-- Returns how many entries there were
local known, released = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1]), 0
if known.err then return 0 end
for _, consumer in ipairs(known) do
  local name = consumer[2]
  if string.sub(name, 1, #ARGV[3]) == ARGV[3] then
    for _, pending in ipairs(redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1000, name)) do
      redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, pending[1], 'RETRYCOUNT', pending[4] + 1, 'JUSTID')
      released = released + 1
    end
  end
end
return released
"""

LEAVE = """
-- Deletes a consumer, but only with nothing pending: deleting it would strike those entries from the group's books.
-- KEYS: stream; ARGV: group, consumer
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
"""

STATE = """
-- KEYS: streams; ARGV: group, the name under which entries given back wait
-- Returns {entries, of them in flight, age of the oldest in milliseconds or -1} each
local now, states = redis.call('TIME'), {}
for i, stream in ipairs(KEYS) do
  local entries, pending, in_flight, age = redis.call('XLEN', stream), redis.pcall('XPENDING', stream, ARGV[1]), 0, -1
  for _, holder in ipairs(pending[4] or {}) do
    if holder[1] ~= ARGV[2] then in_flight = in_flight + tonumber(holder[2]) end
  end
  if entries > 0 then
    local oldest = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1][1]
    age = now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(string.match(oldest, '^%d+'))
  end
  states[i] = {entries, in_flight, age}
end
return states
"""
