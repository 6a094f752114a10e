-- Requests for wrk, as a shop might get them: of ten, three place an order, five look at one, one asks for the
-- service's health, and one asks for an order that does not exist.

local number = 0
local json = { ["Content-Type"] = "application/json" }

function request()
   number = number + 1
   local kind = number % 10
   if kind < 3 then
      local body = string.format('{"item":"tea %d","quantity":%d}', number, number % 9 + 1)
      return wrk.format("POST", "/orders", json, body)
   elseif kind < 8 then
      return wrk.format("GET", "/orders/" .. math.ceil(number / 10))
   elseif kind == 8 then
      return wrk.format("GET", "/health")
   else
      return wrk.format("GET", "/orders/0")
   end
end
