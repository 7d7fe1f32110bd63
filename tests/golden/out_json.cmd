$weir query --input - --output json --utc -- 'level:*'
