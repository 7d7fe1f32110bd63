# Sums of what is no decimal of few places: no order of adding shows.
log
{"time":"2026-01-31T10:00:00Z","g":"a","x":"1e16","y":"0.1234567890123"}
{"time":"2026-01-31T10:00:01Z","g":"a","x":"1","y":"0.1234567890124"}
{"time":"2026-01-31T10:00:02Z","g":"a","x":"1e0","y":"7"}
{"time":"2026-01-31T10:00:03Z","g":"a","x":"-1e16","y":"-0.1234567890123"}
{"time":"2026-01-31T10:00:04Z","g":"b","x":"1e-1","y":"1e200"}
{"time":"2026-01-31T10:00:05Z","g":"b","x":"1e20","y":"-1e200"}
{"time":"2026-01-31T10:00:06Z","g":"b","x":"-1e20","y":"1e-1"}

any order
query: * | stats by (g) sum(x) s, avg(x) a, sum(y) t
{"g":"a","s":"2","a":"0.5","t":"7.1234567890124"}
{"g":"b","s":"0.1","a":"0.03333333333333333","t":"0.1"}

query: * | total_stats by (g) sum(x) s | fields g, s | limit 1
{"g":"a","s":"2"}

query: g:b | sort by (_time) | running_stats sum(x) s | fields s
{"s":"0.1"}
{"s":"100000000000000000000"}
{"s":"0.1"}
