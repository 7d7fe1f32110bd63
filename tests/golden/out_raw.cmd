$weir query --input - --output raw -- "level:* | limit 2"; $weir query --input - --output raw -- "*" </dev/null
