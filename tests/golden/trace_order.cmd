# Two files of one request: its rows by time, those of one time as they came.
printf '%s\n' '{"time":"2026-01-31T10:00:05Z","msg":"b1","request_id":"r1","span":"s9"}' \
  '{"time":"2026-01-31T10:00:01Z","msg":"b0","request_id":"r1","trace_id":"t7"}' >b.log
printf '%s\n' '{"time":"2026-01-31T10:00:03Z","msg":"a1 r1 in text","user":"u"}' \
  '{"time":"2026-01-31T10:00:01Z","msg":"a0","X-Request-ID":"r1"}' '{"time":"2026-01-31T10:00:02Z","msg":"t","trace_id":"t7"}' >a.log
$weir trace --input b.log --input a.log --output json r1
$weir trace --input b.log --input a.log --output raw r1 | cut -c29-47
$weir trace --input b.log --input a.log --output csv --deep r1 | cut -d, -f1-3
$weir trace --input a.log --output json nothing; echo "exit $?"
echo related
$weir ingest --quiet --store st a.log b.log
$weir trace --store st --output json --related r1
echo related and deep
$weir trace --store st --output json --related --deep r1 | grep -o '"_msg":"[^"]*"'
$weir trace --store st --related nothing; echo "exit $?"
# The ends of time lie further apart than a length of time can say.
printf '%s\n' '{"time":"1700-01-01T00:00:00Z","msg":"a","trace_id":"q"}' '{"time":"2200-01-01T00:00:00Z","msg":"b","trace_id":"q"}' |
  $weir trace --input - q >/dev/null; echo "exit $?"
# A request's block cannot be read: that is no "not found".
$weir store --store st seal
for f in st/*.seg*; do [ -s "$f" ] && printf 'XXXXXXXXXXXXXXXX' | dd of="$f" bs=1 seek=200 conv=notrunc status=none; done
$weir trace --store st r1 >/dev/null 2>&1; echo "exit $?"
