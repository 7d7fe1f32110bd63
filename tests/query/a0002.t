# What unpack_json does with arrays, objects and broken text, and where numbers begin in math.
log
{"time":"2026-01-31T10:00:00Z","id":1,"message":"{\"c\": [1, \"\\u0041\", {\"q\" : 2}], \"o\": {}, \"n\":{\"m\":{ }}, \"t\":\"\\u0041\"}"}
{"time":"2026-01-31T10:00:01Z","id":2,"message":"{\"a\":{\"b\":1,\"c\":{\"d\": [1, 2]}},\"k\":{\"x\":\"y\"},\"e\":{}}"}
{"time":"2026-01-31T10:00:02Z","id":3,"message":"{}","a":"old"}
{"time":"2026-01-31T10:00:03Z","id":4,"message":"{broken","a":"old"}
{"time":"2026-01-31T10:00:04Z","id":5,"message":"z=1","a":"old"}

query: id:=1 | unpack_json | fields c, o, n.m, t
{"c":"[1,\"A\",{\"q\":2}]","t":"A"}

query: id:=2 | unpack_json preserve_keys (a.c, k, e) | fields a.b, a.c, a.c.d, k, e
{"a.b":"1","a.c":"{\"d\":[1,2]}","k":"{\"x\":\"y\"}","e":"{}"}

query: id:=2 | unpack_json fields (k*, a.c.*) preserve_keys (k) result_prefix p_ | fields p_*
{"p_a.c.d":"[1,2]","p_k":"{\"x\":\"y\"}"}

query: id:in(3, 4, 5) | unpack_json fields (a) | sort by (id) | fields id, a
{"id":"3"}
{"id":"4"}
{"id":"5","a":"old"}

query: id:=5 | unpack_logfmt fields (a, z) | fields a, z
{"z":"1"}

query: id:=5 | unpack_logfmt fields (a, z) skip_empty_results | fields a, z
{"a":"old","z":"1"}

query: id:=1 | math inf as a, -inf as b, .5 as c, "-5" + 1 as d, infx as e | fields a, b, c, d, e
{"a":"+Inf","b":"-Inf","c":"0.5","d":"-4","e":"NaN"}

# What unpack_syslog makes of lines that are cut, and where collapse_nums sees numbers.
log
{"time":"2026-01-31T10:00:00Z","id":1,"message":"<165>Jan  3 12:08:33 host"}
{"time":"2026-01-31T10:00:01Z","id":2,"message":"<165>"}
{"time":"2026-01-31T10:00:02Z","id":3,"message":"<x>foo"}
{"time":"2026-01-31T10:00:03Z","id":4,"message":"<123"}
{"time":"2026-01-31T10:00:04Z","id":5,"message":"<200>1 2023-06-03T17:42:32.000+02:00 mm app - -"}
{"time":"2026-01-31T10:00:05Z","id":6,"message":"тест12 3µs x12y"}

query: id:in(1, 2, 3, 4) | unpack_syslog offset 0s | sort by (id) | fields id, priority, level, format, hostname, app_name, message
{"id":"1","priority":"165","level":"notice","format":"rfc3164","hostname":"host"}
{"id":"2","priority":"165","level":"notice"}
{"id":"3","priority":"x"}
{"id":"4"}

query: id:=5 | unpack_syslog | fields facility, facility_keyword, severity, timestamp, proc_id
{"facility":"25","facility_keyword":"unknown","severity":"0","timestamp":"2023-06-03T17:42:32.000+02:00","proc_id":"-"}

query: id:=6 | collapse_nums | fields _msg
{"_msg":"тест<N> <N>µs x12y"}

# A rate is by the range of time that was asked for, by whatever way.
log
{"time":"2026-01-31T10:00:00Z","bytes":30,"message":"a"}
{"time":"2026-01-31T10:00:05Z","bytes":30,"message":"b"}

query: _time:[2026-01-31T10:00:00Z, 2026-01-31T10:00:10Z) | stats rate() r, rate_sum(bytes) s
{"r":"0.2","s":"6"}

query --since 2026-01-31T10:00:00Z --until 2026-01-31T10:00:10Z --output json: * | stats rate() r, rate_sum(bytes) s
{"r":"0.2","s":"6"}

query --since 2026-01-31T10:00:00Z --until 2026-01-31T10:00:10Z --output json: * | stats by (_time:5s) rate() r | sort by (_time)
{"_time":"2026-01-31T10:00:00Z","r":"0.2"}
{"_time":"2026-01-31T10:00:05Z","r":"0.2"}

query --since 2026-01-31T10:00:05Z --output json: options(ignore_global_time_filter=true, concurrency=1) * | stats count() n
{"n":"2"}

query --since 2026-01-31T10:00:05Z --output json: _msg:in(options(ignore_global_time_filter=true) a or b | fields _msg) | union (options(ignore_global_time_filter=true) * | stats count() _msg) | fields _msg
{"_msg":"b"}
{"_msg":"2"}

query --since 2026-01-31T10:00:05Z --output json: options(ignore_global_time_filter=true) * | union (a) | stats count() n
{"n":"3"}

query --since 2026-01-31T10:00:05Z --output json: options(ignore_global_time_filter=true) * | union (options(ignore_global_time_filter=false) a or b) | stats count() n
{"n":"3"}

# Lists of stats are in the order of arrival, and with a limit the first of it.
log
{"time":"2026-01-31T10:00:03Z","a":"3","b":"x","message":"m"}
{"time":"2026-01-31T10:00:01Z","a":"1","message":"m"}
{"time":"2026-01-31T10:00:02Z","a":"2","b":"z","message":"m"}

query: * | stats values(a) v, values(a, b) w, values(a) limit 2 x, values(b, a) limit 1 y
{"v":"[\"3\",\"1\",\"2\"]","w":"[\"3\",\"1\",\"2\",\"x\",\"\",\"z\"]","x":"[\"3\",\"1\"]","y":"[\"x\"]"}

query: * | stats json_values(a) v, json_values(a) limit 1 w, json_values(a) sort by (a) limit 2 x, json_values(a, b) sort by (b desc, a) y
{"v":"[{\"a\":\"3\"},{\"a\":\"1\"},{\"a\":\"2\"}]","w":"[{\"a\":\"3\"}]","x":"[{\"a\":\"1\"},{\"a\":\"2\"}]","y":"[{\"a\":\"2\",\"b\":\"z\"},{\"a\":\"3\",\"b\":\"x\"},{\"a\":\"1\"}]"}

query: * | unroll by (nope) | stats any(a) a, row_any(b) b
{"a":"3","b":"{\"b\":\"x\"}"}
