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
