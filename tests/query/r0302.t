# NaN is no bound that a value is above or below, however the column is kept.
log
{"time":"2026-01-31T10:00:00Z","n":"1","f":"1.5","x":"a","m":"1","nan":"NaN"}
{"time":"2026-01-31T10:00:01Z","n":"2","f":"2.5","x":"2","m":"2.25","nan":"NaN"}
{"time":"2026-01-31T10:00:02Z","n":"3","f":"3.5","x":"1h","m":"3","nan":"NaN"}

query: n:>NaN or n:>="NaN" or n:<nan or n:<=NaN
exit 1

query: f:>NaN or f:<NaN or x:>NaN or x:<NaN or m:>NaN or m:<=NaN
exit 1

query: n:range[NaN, 3] or n:range[1, NaN] or f:range(NaN, NaN) or x:range[nan, 3] or nan:>=NaN
exit 1

query: n:>=2 n:!<NaN | fields n
{"n":"2"}
{"n":"3"}
