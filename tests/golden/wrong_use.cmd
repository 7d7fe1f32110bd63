# a rule file pasted with blanks before it, and as one flow mapping
rule="alert: A, expr: '* | stats count() n | filter n:>3', annotations: {summary: s}, for: 1m"
printf '    groups: [{name: g, rules: [{%s}]}]\n' "$rule" >indented.yaml
printf '# ours\n---\n{"groups": [{name: g, rules: [{%s}]}]}\n' "$rule" >flow.yaml
for f in indented flow; do $weir check $f.yaml; echo "exit $?"; done
printf 'inputs:\n  - groups: [x]\n' >own.yaml; $weir check own.yaml; echo "exit $?"
while IFS= read -r files; do
  printf 'inputs:\n  - files: {%s}\n' "$files" >own.yaml; $weir check own.yaml; echo "exit $?"
done <<'FILES'
paths: [relative.log]
paths: [/x], redact: [{pattern: 'a(b)', with: '$2'}]
paths: [/x], redact: [{pattern: 'a(b)', with: '$1'}]
paths: [/x], redact: [{pattern: 'a(b', with: '$1'}]
paths: [/x], stream: {a: , b: , c: , d: , e: , f: , g: , h: , i: , j: , k: , l: , m: , n: , o: , p: , q: }
paths: [/x], parser: pattern
paths: [/x], parser: json, pattern: '(?<a>.)'
paths: [/x], parser: pattern, pattern: '(?<a>.)'
paths: [/x], multiline: java, start: a
paths: [/x], multiline: perl
FILES
printf 'alerting: nowhere.yml\n' >weir.yaml; $weir check weir.yaml; echo "exit $?"
$weir rules test flow.yaml; echo "exit $?"
$weir help rules | tail -n 1
$weir help nonsense; echo "exit $?"
$weir version please; echo "exit $?"
mkdir other; touch other/file
for what in stats verify seal merge upgrade; do $weir store $what --store other; echo "exit $?"; done
ls other
echo '{}' | $weir query --input - --level loud '*'; echo "exit $?"
echo '{}' | $weir query --input - --since 1h --until 2h '*'; echo "exit $?"
echo '{"msg":"about req_1"}' | $weir trace --input - req_1; echo "exit $?"
$weir alerts --since 1h; echo "exit $?"
$weir version >&-
