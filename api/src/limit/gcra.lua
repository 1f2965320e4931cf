-- One rate limit decision over all policies of a request, in one round trip, by this server's clock.
--
-- KEYS[i]                the key of policy i
-- ARGV[3i-2 .. 3i]       requests per period, period in microseconds, burst
-- reply                  { 1 admitted or 0 refused, now in microseconds, debt of policy 1, debt of policy 2, ... }
--
-- Same arithmetic as gcra.rs: debts in ticks of 1/count microseconds. Every number stays below 2^53, where Lua's
-- doubles are exact, and is written with %.0f, as Lua's own %.14g would round it. A refusal charges no policy.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local admitted = 1
local debts = {}
for i = 1, #KEYS do
  local count, period, burst = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  local capacity = burst * period
  local debt = 0
  local stored = redis.call('GET', KEYS[i])
  if stored then
    local us, ticks = string.match(stored, '^(%d+):(%d+)$')
    if us then
      local ahead = tonumber(us) - now
      if ahead > math.floor(capacity / count) then
        debt = capacity
      elseif ahead >= 0 then
        debt = math.min(ahead * count + tonumber(ticks), capacity)
      end
    end
  end
  if debt + period > capacity then
    admitted = 0
  end
  debts[i] = debt
end

if admitted == 1 then
  for i = 1, #KEYS do
    local count, period = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
    local after = debts[i] + period
    local ticks = after % count
    local ahead = (after - ticks) / count
    -- The key lives as long as its debt. Expiry counts whole milliseconds, both ends rounded down: one more keeps
    -- the key from going a moment early, which would hand out a second burst.
    redis.call('SET', KEYS[i], string.format('%.0f:%.0f', now + ahead, ticks),
      'PX', string.format('%.0f', math.ceil(ahead / 1000) + 1))
    debts[i] = after
  end
end

return { admitted, now, unpack(debts) }
