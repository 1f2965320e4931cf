-- Decides a request by all of its policies in one round trip, by the clock of this server.
--
-- KEYS[i]                the key of policy i
-- ARGV[5i-4 .. 5i]       units per period, period in microseconds, burst, cost of this request, 1 for a shadow policy
-- reply                  { refusing policies, now in microseconds, balance of policy 1, balance of policy 2, ... }
--
-- The refusing policies are a sum: 2^(i-1) for each policy i that refuses the request, so 0 when all admit it. A refusal
-- by a policy that is not a shadow charges no policy; a refusal by a shadow policy charges all but itself.
--
-- The arithmetic is that of quota.rs: balances in ticks of 1/count microseconds. Every number stays below 2^53, where
-- the doubles of Lua are exact, and is written with %.0f, because Lua's default %.14g would round it.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- A key expires when its balance reaches zero. Redis rounds both ends of an expiry down to milliseconds; one more
-- millisecond keeps the key from expiring early, which would grant a second burst.
local function store(key, balance, count)
  local ticks = balance % count
  local ahead = (balance - ticks) / count
  redis.call('SET', key, string.format('%.0f:%.0f', now + ahead, ticks),
    'PX', string.format('%.0f', math.ceil(ahead / 1000) + 1))
end

local refusing, refused, bit = 0, false, 1
local balances, prices = {}, {}
for i = 1, #KEYS do
  local a = 5 * i
  local count, period, burst = tonumber(ARGV[a - 4]), tonumber(ARGV[a - 3]), tonumber(ARGV[a - 2])
  local capacity, price = burst * period, tonumber(ARGV[a - 1]) * period
  local balance = 0
  local stored = redis.call('GET', KEYS[i])
  if stored then
    local us, ticks = string.match(stored, '^(%d+):(%d+)$')
    local ahead = us and tonumber(us) - now or -1
    if ahead >= 0 then
      balance = ahead * count + math.min(tonumber(ticks), count - 1)
    end
    if balance > capacity then
      balance = capacity
      store(KEYS[i], balance, count)
    end
  end
  balances[i] = balance
  if balance + price <= capacity then
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
      balances[i] = balances[i] + prices[i]
      store(KEYS[i], balances[i], tonumber(ARGV[5 * i - 4]))
    end
  end
end

return { refusing, now, unpack(balances) }
