-- For wrk: POSTs one body again and again, each time about another patient and with a hookInstance of its own.
-- Arguments: a file with the body, in which \1 stands for the patient's id and \2 for the hookInstance; a word that
-- begins each patient's id; and, where clients prove who they are, a file with one token a line (each is used once).

local pieces, patients, instances, tokens = {}, {}, {}, nil
local word, sent = "", 0

local function read(path)
  local file = assert(io.open(path, "rb"))
  local all = file:read("*a")
  file:close()
  return all
end

function init(args)
  local body, from = read(args[1]), 1
  word = args[2]
  for place, mark in body:gmatch("()([\1\2])") do
    pieces[#pieces + 1] = body:sub(from, place - 1)
    pieces[#pieces + 1] = ""
    local kind = mark == "\1" and patients or instances
    kind[#kind + 1] = #pieces
    from = place + 1
  end
  pieces[#pieces + 1] = body:sub(from)
  if args[3] then
    tokens = {}
    for token in read(args[3]):gmatch("[^\n]+") do tokens[#tokens + 1] = token end
  end
end

function request()
  sent = sent + 1
  local patient = string.format("%s-%07d", word, sent)
  for _, place in ipairs(patients) do pieces[place] = patient end
  for _, place in ipairs(instances) do pieces[place] = string.format("%08x-0000-4000-8000-%012x", sent, sent) end
  local headers = { ["Content-Type"] = "application/json" }
  if tokens then headers["Authorization"] = "Bearer " .. (tokens[sent] or "") end
  return wrk.format("POST", nil, headers, table.concat(pieces))
end

function done(summary, latency, _)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\nMEASURED {"calls": %d, "failed": %d, "microseconds": %d, "histogram": [',
    summary.requests, failed, summary.duration))
  for place = 1, #latency do
    local value, count = latency(place)
    io.write(string.format('%s[%d, %d]', place > 1 and ", " or "", value, count))
  end
  io.write("]}\n")
end
