echo '{"time":"2026-01-31T10:00:00Z","status":500,"message":"Connection refused"}' >log
$weir ingest --store st --quiet log 2>/dev/null
for q in 'staus:=500' 'status>=500' 'connection' 'onnectio' 'nothing'; do
  $weir query --store st -- "$q"
  echo "exit $?"
done
