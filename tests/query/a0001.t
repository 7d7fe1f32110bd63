# What every row and every form of output begins with.
log
{"time":"2026-01-31T10:00:00Z","level":"info","service":"api","request_id":"r-1","message":"hello world","status":200,"http":{"route":"/a"}}
{"time":"2026-01-31T10:00:02.500Z","level":"error","service":"api","request_id":"r-2","message":"Timeout after 30 s","status":504}
{"time":"2026-01-31T10:00:01+00:00","level":"warn","service":"db","request_id":"r-1","message":"slow query","tags":["x",1],"none":null}

# A store's rows come by time; --input as they came, so these two queries sort.
query: * | sort by (_time) | fields _time, service
{"_time":"2026-01-31T10:00:00Z","service":"api"}
{"_time":"2026-01-31T10:00:01Z","service":"db"}
{"_time":"2026-01-31T10:00:02.5Z","service":"api"}

any order
query: request_id:=r-1 | fields _msg
{"_msg":"hello world"}
{"_msg":"slow query"}

query: timeout
exit 1

query: i(timeout) | fields status
{"status":"504"}

query: service:=api status:>=500 | fields _msg
{"_msg":"Timeout after 30 s"}

query: http.route:/a | fields http.route
{"http.route":"/a"}

query: tags:* | fields tags
{"tags":"[\"x\",1]"}

any order
query: level:* | stats by (service) count() n
{"service":"api","n":"2"}
{"service":"db","n":"1"}

query: nothing | stats count() n
{"n":"0"}

query --output csv: level:* | stats by (service) count() n | sort by (service)
service,n
api,2
db,1

query --output logfmt: slow | fields _msg, level
_msg="slow query" level=warn

query --since 2026-01-31T10:00:01Z --until 2026-01-31T10:00:02.5Z --output json: * | fields service
{"service":"db"}

query --limit 1 --output json: level:* | fields _msg
{"_msg":"Timeout after 30 s"}

query -l warn --output json: * | sort by (_time) | fields level
{"level":"warn"}
{"level":"error"}

query --output json: (
exit 2

query --output json: service:in(level:=warn | fields service) | fields _msg
{"_msg":"slow query"}

as is
query: slow
exit 1

as is
query: message:slow | fields message, time
{"message":"slow query","time":"2026-01-31T10:00:01+00:00"}
