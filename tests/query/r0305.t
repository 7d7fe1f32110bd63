# A filter needs no name behind |, whatever it begins with; a slip in the name of a pipe is still told.
log
{"time":"2026-01-31T10:00:00Z","message":"foo one","a":"1"}
{"time":"2026-01-31T10:00:01Z","message":"bar one","a":"2"}
{"time":"2026-01-31T10:00:02Z","message":"not seq","a":"3"}

query: * | foo | fields a
{"a":"1"}

query: * | not one | fields a
{"a":"3"}

query: * | (foo or bar) !two | fields a
{"a":"1"}
{"a":"2"}

query: * | seq(ba*, one) or re("^not") | fields a
exit 2

query: * | seq(bar, one) or re("^not") | fields a
{"a":"2"}
{"a":"3"}

query: * | (a) | fields a
exit 1

any order
query: * | (a) sum (a) s
{"a":"1","s":"1"}
{"a":"2","s":"2"}
{"a":"3","s":"3"}

query: * | statz by (a) count()
exit 2

query: * | lmit 1
exit 2

# No filter in the brackets of "if" takes all rows.
query: * | stats count() if () n, count() if (a:=1) m
{"n":"3","m":"1"}

query: a:=1 | format if () "<a>!" as b | fields b
{"b":"1!"}

# limit, offset and sample have no parts of rows.
query: * | limit 1.5
exit 2

query: * | offset 0.5
exit 2

query: * | sample 1.5
exit 2

query: * | limit 1K | stats count() n
{"n":"3"}
