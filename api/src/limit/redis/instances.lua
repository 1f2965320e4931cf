-- Counts the gateways that share this Redis, by the clock of this server.
--
-- KEYS[1]   a sorted set of gateways by the time of their last heartbeat, in milliseconds
-- ARGV      the caller's name; how long a gateway counts after its last heartbeat, in milliseconds
-- reply     the number of gateways, including the caller

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local limit = tonumber(ARGV[2])

redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - limit))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
