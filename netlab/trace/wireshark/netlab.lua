-- Wireshark's eyes for netlab: the calculator protocol (TCP 9999, its proxy 9998) and the watchdog's (TCP 3000).
--
-- Put it into Wireshark's folder of personal plugins with "netlab wireshark --install". Other ports: the preferences
-- of the two protocols, or "Decode As". Filters begin with netlab_calc. and netlab_watchdog.
-- Written against the Lua of Wireshark 3.6 and newer (Lua 5.1 to 5.4), and documented in docs/wireshark.md.

set_plugin_info({ version = "1.0.0", author = "netlab", description = "The protocols of the network laboratory" })

-- The capture's own comment on the frame, in which netlab writes what a pickled body says.
local frame_comment = Field.new("frame.comment")
local tcp_stream = Field.new("tcp.stream")

-- ---- calculator ------------------------------------------------------------------------------------------------

local calc = Proto("netlab_calc", "Calculator Protocol")

local HEADER = 12
local FOREVER = 65535
local STATUS = { [0] = "none", [200] = "success", [400] = "client error", [500] = "server error" }
local TYPE = { [0] = "response", [1] = "request" }
local SET = { [0] = "not set", [1] = "set" }

local f = {
  timestamp = ProtoField.absolute_time("netlab_calc.timestamp", "Time stamp", base.UTC),
  length = ProtoField.uint16("netlab_calc.length", "Total length", base.DEC, nil, nil, "Header and body, in bytes"),
  flags = ProtoField.uint16("netlab_calc.flags", "Flags and status", base.HEX),
  reserved = ProtoField.uint16("netlab_calc.flags.reserved", "Reserved", base.DEC, nil, 0xe000),
  cache = ProtoField.uint16("netlab_calc.flags.cache", "Cache", base.DEC, SET, 0x1000),
  steps = ProtoField.uint16("netlab_calc.flags.steps", "Steps", base.DEC, SET, 0x0800),
  type = ProtoField.uint16("netlab_calc.flags.type", "Type", base.DEC, TYPE, 0x0400),
  status = ProtoField.uint16("netlab_calc.status", "Status", base.DEC, nil, 0x03ff),
  max_age = ProtoField.uint16("netlab_calc.max_age", "Max-age", base.DEC, nil, nil, "Seconds; 65535 is for ever"),
  padding = ProtoField.bytes("netlab_calc.padding", "Padding"),
  body = ProtoField.bytes("netlab_calc.body", "Body"),
  codec = ProtoField.string("netlab_calc.codec", "Codec"),
  json = ProtoField.string("netlab_calc.json", "JSON"),
  decoded = ProtoField.string("netlab_calc.decoded", "Decoded by netlab"),
  response_in = ProtoField.framenum("netlab_calc.response_in", "Response in", base.NONE, frametype.RESPONSE),
  response_to = ProtoField.framenum("netlab_calc.response_to", "Request in", base.NONE, frametype.REQUEST),
  time = ProtoField.relative_time("netlab_calc.time", "Time since request"),
}
local calc_fields = {}
for _, field in pairs(f) do calc_fields[#calc_fields + 1] = field end
calc.fields = calc_fields

local e = {
  length = ProtoExpert.new("netlab_calc.bad_length", "Total length under 12", expert.group.MALFORMED,
    expert.severity.ERROR),
  reserved = ProtoExpert.new("netlab_calc.reserved_set", "Reserved bits are set", expert.group.PROTOCOL,
    expert.severity.ERROR),
  request_status = ProtoExpert.new("netlab_calc.request_with_status", "A request has a status",
    expert.group.PROTOCOL, expert.severity.WARN),
  client_error = ProtoExpert.new("netlab_calc.client_error", "The server found fault with the request",
    expert.group.RESPONSE_CODE, expert.severity.NOTE),
  server_error = ProtoExpert.new("netlab_calc.server_error", "The server failed", expert.group.RESPONSE_CODE,
    expert.severity.WARN),
  unknown_status = ProtoExpert.new("netlab_calc.unknown_status", "The protocol has no such status",
    expert.group.PROTOCOL, expert.severity.WARN),
  unasked = ProtoExpert.new("netlab_calc.unasked", "No request in this capture asked for this response",
    expert.group.SEQUENCE, expert.severity.NOTE),
  unanswered = ProtoExpert.new("netlab_calc.unanswered", "No response to this request in this capture",
    expert.group.SEQUENCE, expert.severity.NOTE),
  codec = ProtoExpert.new("netlab_calc.unknown_codec", "The body is neither pickle nor JSON", expert.group.PROTOCOL,
    expert.severity.WARN),
}
local calc_experts = {}
for _, note in pairs(e) do calc_experts[#calc_experts + 1] = note end
calc.experts = calc_experts

calc.prefs.ports = Pref.range("TCP ports", "9998-9999", "Where calculators and their proxies listen", 65535)

-- What the first pass found out. A packet of the protocol is known by its frame and its place in the frame; requests
-- and responses of a TCP stream are paired in order, for they are answered in order.
local waiting, pairs_of, times = {}, {}, {}
-- How many packets of the protocol a frame has, and which of them one is.
local counts, places = {}, {}

local function key_of(pinfo, tvb)
  return pinfo.number .. ":" .. tvb:offset()
end

local function place_of(key, pinfo)
  if not places[key] then
    counts[pinfo.number] = (counts[pinfo.number] or 0) + 1
    places[key] = counts[pinfo.number]
  end
  return places[key]
end

local function pair_up(key, pinfo, is_request)
  local stream = tcp_stream()
  stream = stream and stream.value or 0
  local queue = waiting[stream]
  if not queue then
    queue = { first = 1, last = 0 }
    waiting[stream] = queue
  end
  if is_request then
    queue.last = queue.last + 1
    queue[queue.last] = { key = key, frame = pinfo.number, time = pinfo.rel_ts }
  elseif queue.first <= queue.last then
    local request = queue[queue.first]
    queue[queue.first] = nil
    queue.first = queue.first + 1
    pairs_of[request.key] = pinfo.number
    pairs_of[key] = request.frame
    times[key] = pinfo.rel_ts - request.time
  end
end

local function show_pairing(key, pinfo, tree, is_request)
  local other = pairs_of[key]
  if is_request then
    if other then
      tree:add(f.response_in, other):set_generated()
    elseif pinfo.visited then
      tree:add_proto_expert_info(e.unanswered)
    end
  elseif other then
    tree:add(f.response_to, other):set_generated()
    local seconds = math.floor(times[key])
    tree:add(f.time, NSTime.new(seconds, math.floor((times[key] - seconds) * 1e9 + 0.5))):set_generated()
  else
    tree:add_proto_expert_info(e.unasked)
  end
end

local function show_flags(tvb, tree, header)
  local range = tvb(6, 2)
  local branch = tree:add(f.flags, range)
  for _, name in ipairs({ "reserved", "cache", "steps", "type" }) do branch:add(f[name], range) end
  local status = branch:add(f.status, range)
  status:append_text(" (" .. (STATUS[header.status] or "unknown") .. ")")
  if header.reserved ~= 0 then branch:add_proto_expert_info(e.reserved) end
  if header.is_request then
    if header.status ~= 0 then branch:add_proto_expert_info(e.request_status) end
  elseif header.status == 400 then
    branch:add_proto_expert_info(e.client_error)
  elseif header.status == 500 then
    branch:add_proto_expert_info(e.server_error)
  elseif header.status ~= 200 then
    branch:add_proto_expert_info(e.unknown_status)
  end
end

-- netlab writes a comment for each packet of the protocol that is complete in the frame, in their order.
local function show_decoded(tree, place)
  local count = 0
  for _, comment in ipairs({ frame_comment() }) do
    local text = tostring(comment.value):match("^calc: (.*)")
    if text then
      count = count + 1
      if count == place then tree:add(f.decoded, text):set_generated() end
    end
  end
end

local function show_body(tvb, tree, place)
  local range = tvb(HEADER)
  local branch = tree:add(f.body, range)
  local first = range(0, 1):uint()
  if first == 0x80 and range:len() > 1 then
    branch:add(f.codec, range(0, 2), "pickle, protocol " .. range(1, 1):uint())
    show_decoded(branch, place)
    return "pickle"
  elseif first == 0x7b then
    branch:add(f.codec, range(0, 1), "JSON")
    branch:add(f.json, range, range:string(ENC_UTF_8))
    return "JSON"
  end
  branch:add_proto_expert_info(e.codec)
  return "unknown codec"
end

local function summary(header, codec)
  local flags = (header.cache and "C" or "") .. (header.steps and "S" or "")
  local text = header.is_request and "Request" or ("Response " .. header.status)
  if header.is_request then text = text .. " max-age " else text = text .. " keep " end
  text = text .. (header.max_age == FOREVER and "for ever" or header.max_age .. " s")
  if flags ~= "" then text = text .. " [" .. flags .. "]" end
  return text .. ", " .. header.length .. " bytes" .. (codec and ", " .. codec or "")
end

local function read_header(tvb)
  local flags = tvb(6, 2):uint()
  return {
    length = tvb(4, 2):uint(),
    reserved = bit.rshift(flags, 13),
    cache = bit.band(flags, 0x1000) ~= 0,
    steps = bit.band(flags, 0x0800) ~= 0,
    is_request = bit.band(flags, 0x0400) ~= 0,
    status = bit.band(flags, 0x03ff),
    max_age = tvb(8, 2):uint(),
  }
end

local function dissect_calc_packet(tvb, pinfo, tree)
  local header = read_header(tvb)
  local branch = tree:add(calc, tvb())
  pinfo.cols.protocol = "Calc"
  branch:add(f.timestamp, tvb(0, 4))
  local length = branch:add(f.length, tvb(4, 2))
  show_flags(tvb, branch, header)
  local max_age = branch:add(f.max_age, tvb(8, 2))
  if header.max_age == FOREVER then max_age:append_text(" (for ever)") end
  branch:add(f.padding, tvb(10, 2))
  local codec
  local key = key_of(pinfo, tvb)
  local place = place_of(key, pinfo)
  if header.length < HEADER then
    length:add_proto_expert_info(e.length)
  elseif tvb:len() > HEADER then
    codec = show_body(tvb, branch, place)
  end
  if not pinfo.visited then pair_up(key, pinfo, header.is_request) end
  show_pairing(key, pinfo, branch, header.is_request)
  local text = summary(header, codec)
  branch:append_text(": " .. text)
  pinfo.cols.info:append((tostring(pinfo.cols.info) == "" and "" or "; ") .. text)
  return tvb:len()
end

-- A total length under 12 ends the stream: nothing after it can be cut into packets.
local function calc_length(tvb, _, offset)
  local length = tvb(offset + 4, 2):uint()
  if length < HEADER then return tvb:len() - offset end
  return length
end

function calc.dissector(tvb, pinfo, tree)
  pinfo.cols.info:clear()
  dissect_tcp_pdus(tvb, tree, HEADER, calc_length, dissect_calc_packet)
  return tvb:len()
end

-- ---- watchdog --------------------------------------------------------------------------------------------------

local watchdog = Proto("netlab_watchdog", "Watchdog Protocol")

local START, ALIVE = 300, 256
local MESSAGE = { [START] = "start watching", [ALIVE] = "alive: set the timer to zero" }

local w = {
  message = ProtoField.uint32("netlab_watchdog.message", "Message", base.DEC, MESSAGE),
  since = ProtoField.relative_time("netlab_watchdog.since", "Time since the message before"),
  text = ProtoField.string("netlab_watchdog.text", "Text"),
}
watchdog.fields = { w.message, w.since, w.text }

local unknown = ProtoExpert.new("netlab_watchdog.unknown", "The number is neither 300 nor 256", expert.group.PROTOCOL,
  expert.severity.ERROR)
watchdog.experts = { unknown }

watchdog.prefs.ports = Pref.range("TCP ports", "3000", "Where watchdogs listen", 65535)

local last, since = {}, {}

local function show_since(key, pinfo, tree)
  if not pinfo.visited then
    local stream = tcp_stream()
    stream = stream and stream.value or 0
    if last[stream] then since[key] = pinfo.rel_ts - last[stream] end
    last[stream] = pinfo.rel_ts
  end
  if since[key] then
    local seconds = math.floor(since[key])
    tree:add(w.since, NSTime.new(seconds, math.floor((since[key] - seconds) * 1e9 + 0.5))):set_generated()
  end
end

local function dissect_watchdog_message(tvb, pinfo, tree)
  local number = tvb(0, 4):le_uint()
  local branch = tree:add(watchdog, tvb())
  pinfo.cols.protocol = "Watchdog"
  local message = branch:add_le(w.message, tvb(0, 4))
  if not MESSAGE[number] then message:add_proto_expert_info(unknown) end
  show_since(key_of(pinfo, tvb), pinfo, branch)
  local text = MESSAGE[number] or ("unknown number " .. number)
  branch:append_text(": " .. text)
  pinfo.cols.info:append((tostring(pinfo.cols.info) == "" and "" or "; ") .. text)
  return tvb:len()
end

-- Other deployments send short texts over the same port, of any length: a segment is a message then.
local function is_text(tvb)
  return tvb:len() > 0 and tvb:len() <= 64 and tvb:raw():match("^[%g%s]+%z*$") ~= nil
end

function watchdog.dissector(tvb, pinfo, tree)
  pinfo.cols.info:clear()
  if is_text(tvb) then
    local branch = tree:add(watchdog, tvb())
    pinfo.cols.protocol = "Watchdog"
    branch:add(w.text, tvb())
    show_since(key_of(pinfo, tvb), pinfo, branch)
    pinfo.cols.info:append("sign of life: " .. tvb():string())
    return tvb:len()
  end
  dissect_tcp_pdus(tvb, tree, 4, function() return 4 end, dissect_watchdog_message)
  return tvb:len()
end

-- ---- registration ----------------------------------------------------------------------------------------------

local tcp_port = DissectorTable.get("tcp.port")
local registered = {}

local function register(proto)
  if registered[proto.name] then tcp_port:remove(registered[proto.name], proto) end
  registered[proto.name] = proto.prefs.ports
  tcp_port:add(proto.prefs.ports, proto)
end

function calc.prefs_changed() register(calc) end

function watchdog.prefs_changed() register(watchdog) end

function calc.init()
  waiting, pairs_of, times = {}, {}, {}
  counts, places = {}, {}
end

function watchdog.init() last, since = {}, {} end

register(calc)
register(watchdog)
