# Steps and offsets beyond 64 bits: a step ends there, an offset counts by its place in the step.
log
{"time":"2024-05-06T07:08:09Z","n":10}
{"time":"2026-01-31T10:00:00Z","n":11}
{"time":"2026-01-31T23:50:00Z","n":12}

query: * | stats by (_time:5000000y) count() n
{"_time":"1970-01-01T00:00:00Z","n":"3"}

any order
query: * | stats by (_time:1d offset 5000000y) count() n
{"_time":"2024-05-05T23:47:16.854775807Z","n":"1"}
{"_time":"2026-01-30T23:47:16.854775807Z","n":"1"}
{"_time":"2026-01-31T23:47:16.854775807Z","n":"1"}

any order
query: * | stats by (_time:week offset 36400d) count() n
{"_time":"2024-05-06T00:00:00Z","n":"1"}
{"_time":"2026-01-26T00:00:00Z","n":"2"}

any order
query: * | stats by (_time:month offset 5000000y) count() n
{"_time":"2024-04-10T23:47:16.854775807Z","n":"1"}
{"_time":"2026-01-09T23:47:16.854775807Z","n":"2"}

query: * | stats by (n:18446744073709551615) count() k
{"n":"0","k":"3"}
