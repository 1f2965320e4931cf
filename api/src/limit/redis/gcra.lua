-- One rate limit decision over all policies of a request, in one round trip, by this server's clock.
--
-- KEYS[i]                the key of policy i
-- ARGV[5i-4 .. 5i]       units per period, period in microseconds, burst, cost of this request, 1 for a shadow policy
-- reply                  { which refused, now in microseconds, debt of policy 1, debt of policy 2, ... }
--
-- Which refused is a sum: 2^(i-1) for each policy i that cannot afford the request, so 0 when all can. A refusal by a
-- policy that is no shadow charges none of them; a shadow's own refusal charges all but itself.
--
-- Same arithmetic as gcra.rs: debts in ticks of 1/count microseconds. Every number stays below 2^53, where Lua's
-- doubles are exact, and is written with %.0f, as Lua's own %.14g would round it.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- The key lives as long as its debt. Expiry counts whole milliseconds, both ends rounded down: one more keeps the key
-- from going a moment early, which would hand out a second burst.
local function store(key, debt, count)
  local ticks = debt % count
  local ahead = (debt - ticks) / count
  redis.call('SET', key, string.format('%.0f:%.0f', now + ahead, ticks),
    'PX', string.format('%.0f', math.ceil(ahead / 1000) + 1))
end

local refusing, refused, bit = 0, false, 1
local debts, prices = {}, {}
for i = 1, #KEYS do
  local a = 5 * i
  local count, period, burst = tonumber(ARGV[a - 4]), tonumber(ARGV[a - 3]), tonumber(ARGV[a - 2])
  local capacity, price = burst * period, tonumber(ARGV[a - 1]) * period
  local debt = 0
  local stored = redis.call('GET', KEYS[i])
  if stored then
    local us, ticks = string.match(stored, '^(%d+):(%d+)$')
    local ahead = us and tonumber(us) - now or -1
    if ahead >= 0 then
      debt = ahead * count + math.min(tonumber(ticks), count - 1)
    end
    if debt > capacity then
      debt = capacity
      store(KEYS[i], debt, count)
    end
  end
  debts[i] = debt
  if debt + price <= capacity then
    prices[i] = price
  else
    refusing = refusing + bit
    refused = refused or ARGV[a] ~= '1'
  end
  bit = bit * 2
end

if not refused then
  for i = 1, #KEYS do
    if prices[i] then
      debts[i] = debts[i] + prices[i]
      store(KEYS[i], debts[i], tonumber(ARGV[5 * i - 4]))
    end
  end
end

return { refusing, now, unpack(debts) }
