# unpack_logfmt parts keys at blanks alone, and takes quotes of both kinds as the language does.
log
{"time":"2026-01-31T10:00:00Z","id":"1","x":"\"h i\"=j k=1"}
{"time":"2026-01-31T10:00:01Z","id":"2","x":"n=`b \\q` z=1 word k"}
{"time":"2026-01-31T10:00:02Z","id":"3","k":"old","x":"a= b =c k d=\"1 2\" e=3"}
{"time":"2026-01-31T10:00:03Z","id":"4","x":"a=\"x\"y k=1"}
{"time":"2026-01-31T10:00:04Z","id":"5","x":"a=\"x y k=1 é=\"\\u00e9\\x21\""}
{"time":"2026-01-31T10:00:05Z","id":"6","x":"=v a=b=c\tk=2"}
{"time":"2026-01-31T10:00:05.5Z","id":"8","x":"é=\"\\u00f6\\x21\" k=`3`"}
{"time":"2026-01-31T10:00:06Z","id":"7","k":"old","x":"nothing"}

any order
query: x:* | unpack_logfmt from x | delete x, _time, _stream
{"id":"1","k":"1","i\"":"j"}
{"id":"2","n":"b \\q","z":"1"}
{"id":"3","d":"1 2","e":"3"}
{"id":"4","a":"x"}
{"id":"5","a":"x y k=1 é="}
{"id":"6","a":"b=c\tk=2"}
{"id":"8","k":"3","é":"ö!"}
{"id":"7","k":"old"}

# A code between single quotes is a character's, not a byte's.
query: x:'\xe9' and x:'\351' and x:"\u00e9" | fields id
{"id":"5"}
{"id":"8"}

query: x:"\xe9"
exit 1
