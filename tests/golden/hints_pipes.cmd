# Where a pipe took the rows, the words of the filter are right.
echo '{"time":"2026-01-31T10:00:00Z","status":500,"message":"Connection refused"}' >log
$weir ingest --store st --quiet log 2>/dev/null
for q in 'Connection | filter a:b' 'connection | filter a:b' 'staus:500 | count() n | filter n:>0'; do
  $weir query --store st -- "$q"
  echo "exit $?"
done
$weir query --input log 'connection'
